import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { LargeWork } from '../../apiserver/registry/large-objects/large-work.ts';
import { type APICaller, createAPICaller } from '../../apiserver/testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { createLargeWorkPool, type LargeWorkPool } from './large-work-pool.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';
const list = '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]';
/** Costs somewhat less than the limit of one expression. */
const costly = `[1, 2, 3, 4].all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, ${list}.all(e, a + b + c + d + e > 0)))))`;

describe('policies that cost much', function () {
  this.timeout(120_000);
  let pool: LargeWorkPool;
  let complete: CompleteServer;
  let api: APICaller;
  let tasks: string[];
  before(async () => {
    pool = createLargeWorkPool({ clock: systemClock, logger: silentLogger, threads: 1 });
    const largeWork: LargeWork = {
      ...pool,
      run(task, asker) {
        tasks.push(task.kind);
        return pool.run(task, asker);
      },
    };
    complete = await startCompleteServer(undefined, {}, {}, { largeWork });
    api = createAPICaller(complete.server.transport);
    tasks = [];
  });
  after(async () => {
    await complete.close();
    await pool.close();
  });

  const create = (data: object) =>
    api.post('/api/v1/namespaces/default/configmaps?dryRun=All', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data });

  async function enforce(name: string, spec: object): Promise<void> {
    const matchConstraints = {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
    };
    const policy = await api.post(`${registration}/validatingadmissionpolicies`, {
      metadata: { name },
      spec: { matchConstraints, ...spec },
    });
    assert.equal(policy.status, 201, policy.text);
    const binding = { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } };
    assert.equal((await api.post(`${registration}/validatingadmissionpolicybindings`, binding)).status, 201);
    await eventually('the policy', async () => (await create({ [name]: 'refuse' })).status === 422);
  }

  it('are evaluated in a worker thread, with the same verdict', async () => {
    await enforce('costly', {
      validations: [
        { expression: `${costly} && !has(object.data.costly)`, messageExpression: "'no ' + object.data.costly" },
        { expression: "authorizer.requestResource.check('create').allowed()" },
      ],
    });
    assert.ok(tasks.includes('expressions'), tasks.join());
    const refused = await create({ costly: 'refuse' });
    assert.equal(
      (refused.body as { message?: string }).message,
      `configmaps "x" is forbidden: ValidatingAdmissionPolicy 'costly' with binding 'costly' denied request: no refuse`,
    );
    assert.equal((await create({ a: 'b' })).status, 201);
  });

  it('let others have the event loop meanwhile', async () => {
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await create({ a: 'b' });
    isOver = true;
    // A loop that is held has a handful of turns in all.
    assert.ok(turns > 50, `${turns} turns`);
  });

  it('are in no other thread where they cost little', async () => {
    await api.delete(`${registration}/validatingadmissionpolicybindings/costly`);
    await enforce('cheap', {
      validations: Array.from({ length: 20 }, () => ({ expression: "!has(object.data.cheap) && object.metadata.name.startsWith('x')" })),
    });
    tasks = [];
    assert.equal((await create({ a: 'b' })).status, 201);
    assert.deepEqual(tasks, []);
  });
});
