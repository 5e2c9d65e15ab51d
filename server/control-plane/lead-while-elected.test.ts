import assert from 'node:assert/strict';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { createClient } from '../../api/client/create-client.ts';
import { waitFor } from '../../api/client/wait-for.ts';
import { withUser } from '../../api/client/with-user.ts';
import { leases } from '../../api/resources/coordination/v1/lease.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../apiserver/testing/start-api-server.ts';
import { candidateIdentity, type ElectedPart, leadWhileElected } from './lead-while-elected.ts';

const facts = { hostName: 'one', bootID: 'b', directory: '1:2' };

describe('leadWhileElected', () => {
  let server: TestAPIServer;
  before(async () => {
    server = await startAPIServerInProcess();
  });
  after(() => server.close());

  const within = { withinSeconds: 15, everyMs: 20, clock: systemClock, signal: new AbortController().signal };
  const start = (name: ElectedPart['name'], identity: string, lead: ElectedPart['lead']) => {
    const stop = new AbortController();
    const client = createClient(withUser(server.transport, { name: `system:${name}`, groups: ['system:authenticated'] }));
    const part = { name, identity, client, clock: systemClock, random: systemRandom, logger: silentLogger, lead };
    return { stop, ended: leadWhileElected(part, stop.signal) };
  };

  for (const name of ['kube-controller-manager', 'kube-scheduler'] as const)
    it(`lets one ${name} run at a time, with the rights of its own user`, async () => {
      const leading = new Set<string>();
      const candidate = (identity: string) =>
        start(name, identity, async (signal) => {
          leading.add(identity);
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          leading.delete(identity);
        });
      const a = candidate('a');
      await waitFor('the first leader', async () => leading.has('a'), within);
      const b = candidate('b');
      const admin = createClient(withUser(server.transport, { name: 'admin', groups: ['system:masters'] }));
      const lease = await admin(leases).get({ namespace: 'kube-system', name });
      assert.deepEqual([lease.spec?.holderIdentity, lease.spec?.leaseDurationSeconds], ['a', 15]);
      a.stop.abort();
      await a.ended;
      await waitFor('the second leader', async () => leading.has('b'), within);
      assert.deepEqual([...leading], ['b']);
      b.stop.abort();
      await b.ended;
    });

  it('fails where the part does', async () => {
    const { ended } = start('kube-scheduler', 'c', () => Promise.reject(new Error('broken')));
    await assert.rejects(ended, /broken/);
  });
});

describe('candidateIdentity', () => {
  it('is the host name and a UUID', () =>
    assert.match(candidateIdentity(facts), /^one_[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/));
  it('is the same after a restart', () => assert.equal(candidateIdentity(facts), candidateIdentity({ ...facts })));
  for (const [what, other] of Object.entries({ hostName: 'two', bootID: 'c', directory: '1:3' }))
    it(`differs with the ${what}`, () => assert.notEqual(candidateIdentity(facts), candidateIdentity({ ...facts, [what]: other })));
});
