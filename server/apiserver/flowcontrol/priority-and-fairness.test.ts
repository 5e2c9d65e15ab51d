import assert from 'node:assert/strict';
import type { APIResponse } from '../../../api/client/transport.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { flowSchemas } from '../../../api/resources/flowcontrol/v1/flow-schema.ts';
import { priorityLevelConfigurations } from '../../../api/resources/flowcontrol/v1/priority-level-configuration.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../../api/types/flowcontrol-v1.ts';
import { ensureFlowControl } from '../bootstrap/ensure-flow-control.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../testing/complete-server.ts';

const autoUpdate = 'apf.kubernetes.io/autoupdate-spec';
const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';

function level(name: string, limited: NonNullable<NonNullable<PriorityLevelConfiguration['spec']>['limited']>): PriorityLevelConfiguration {
  return { apiVersion, kind: 'PriorityLevelConfiguration', metadata: { name }, spec: { type: 'Limited', limited } };
}

function schemaFor(user: string, to: string, precedence = 500): FlowSchema {
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name: `of-${user}` },
    spec: {
      matchingPrecedence: precedence,
      priorityLevelConfiguration: { name: to },
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: user } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  };
}

describe('API Priority and Fairness', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  const admin = () => createAPICaller(complete.server.transport);
  const as = (name: string, ...groups: string[]) =>
    createAPICaller(complete.server.transport, { name, groups: [...groups, 'system:authenticated'] });
  /** Uids tell by which FlowSchema and at which level a request was. */
  const classifiedAs = async (ask: Promise<{ readonly headers: Readonly<Record<string, string>> }>): Promise<string> => {
    const { headers } = await ask;
    const [schemas, levels] = await Promise.all([complete.admin(flowSchemas).list(), complete.admin(priorityLevelConfigurations).list()]);
    const schema = schemas.items.find(({ metadata }) => metadata.uid === headers['x-kubernetes-pf-flowschema-uid']);
    const found = levels.items.find(({ metadata }) => metadata.uid === headers['x-kubernetes-pf-prioritylevel-uid']);
    return `${schema?.metadata.name} at ${found?.metadata.name}`;
  };
  before(async () => (complete = await startCompleteServer()));
  after(() => complete.close());

  it('has the defaults, each with the word that its level exists', async () => {
    await eventually('statuses', async () => {
      const { items } = await complete.admin(flowSchemas).list();
      return items.length === 13 && items.every(({ status }) => status?.conditions?.[0]?.status === 'False');
    });
    const present = await complete.admin(flowSchemas).get({ namespace: '', name: 'global-default' });
    const [condition] = present.status?.conditions ?? [];
    assert.deepEqual(
      [condition?.type, condition?.reason, condition?.message],
      ['Dangling', 'Found', 'This FlowSchema references the PriorityLevelConfiguration object named "global-default" and it exists'],
    );
    assert.deepEqual(present.metadata.annotations, { 'apf.kubernetes.io/autoupdate-spec': 'true' });
    const managers = present.metadata.managedFields?.map(({ manager }) => manager);
    assert.deepEqual(managers, ['api-priority-and-fairness-config-consumer-v1', 'api-priority-and-fairness-config-producer-v1']);
  });

  const table: [user: string, groups: string[], method: string, target: string, classified: string][] = [
    ['boss', ['system:masters'], 'GET', '/api/v1/nodes', 'exempt at exempt'],
    ['u', [], 'GET', '/healthz', 'probes at exempt'],
    ['u', [], 'GET', '/api/v1/nodes', 'global-default at global-default'],
    ['u', [], 'GET', '/no/such/path', 'global-default at global-default'],
    [
      'system:kube-scheduler',
      [],
      'GET',
      '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x',
      'system-leader-election at leader-election',
    ],
    ['system:kube-scheduler', [], 'GET', '/api/v1/pods', 'kube-scheduler at workload-high'],
    ['system:node:n', ['system:nodes'], 'PATCH', '/api/v1/nodes/n/status', 'system-node-high at node-high'],
    ['system:node:n', ['system:nodes'], 'GET', '/api/v1/pods', 'system-nodes at system'],
    [
      'system:serviceaccount:kube-system:x',
      ['system:serviceaccounts'],
      'GET',
      '/api/v1/pods',
      'kube-system-service-accounts at workload-high',
    ],
    ['system:serviceaccount:kube-system-2:x', ['system:serviceaccounts'], 'GET', '/api/v1/pods', 'service-accounts at workload-low'],
    ['system:serviceaccount:apps:x', ['system:serviceaccounts'], 'GET', '/api/v1/pods', 'service-accounts at workload-low'],
    [
      'system:serviceaccount:apps:x',
      ['system:serviceaccounts'],
      'PUT',
      '/apis/coordination.k8s.io/v1/namespaces/apps/leases/x',
      'service-accounts at workload-low',
    ],
  ];
  for (const [user, groups, method, target, classified] of table) {
    it(`${user} ${method} ${target}: ${classified}`, async () => {
      assert.equal(await classifiedAs(as(user, ...groups).call(method, target)), classified);
    });
  }

  it('follows changes of FlowSchemas and levels at once, and says where one leads nowhere', async () => {
    const ask = () => as('shifty', 'system:masters').get('/api/v1/namespaces');
    await complete.admin(flowSchemas).create(schemaFor('shifty', 'private', 1000));
    assert.equal(await classifiedAs(ask()), 'exempt at exempt', 'a level that is not there takes nobody');
    await eventually('the word that there is no level', async () => {
      const { status } = await complete.admin(flowSchemas).get({ namespace: '', name: 'of-shifty' });
      return status?.conditions?.[0]?.reason === 'NotFound' && status.conditions[0].status === 'True';
    });
    await complete
      .admin(priorityLevelConfigurations)
      .create(level('private', { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } }));
    const other = () => as('shifty').get('/api/v1/namespaces');
    await eventually('the new level', async () => (await classifiedAs(other())) === 'of-shifty at private');
    await complete.admin(flowSchemas).delete({ namespace: '', name: 'of-shifty' });
    await eventually('the old level', async () => (await classifiedAs(other())) === 'global-default at global-default');
  });

  it('turns away with 429 what finds neither seat nor place, and leaves everyone else alone', async () => {
    await complete.admin(priorityLevelConfigurations).create(
      level('narrow', {
        nominalConcurrencyShares: 1,
        lendablePercent: 0,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Queue', queuing: { queues: 4, handSize: 1, queueLengthLimit: 2 } },
      }),
    );
    await complete.admin(flowSchemas).create(schemaFor('noisy', 'narrow'));
    await eventually('the narrow level', async () => (await classifiedAs(as('noisy').get('/api/v1/namespaces'))) === 'of-noisy at narrow');
    await grantAll(complete, 'noisy');
    for (const name of ['large-1', 'large-2', 'large-3'])
      await complete.admin(configMaps).create({ metadata: { namespace: 'default', name }, data: { large: 'x'.repeat(500_000) } });
    // Three seats are its part of 600. Two more requests may wait, for a quarter of their time.
    const held = await Promise.all(Array.from({ length: 3 }, () => hold(complete, 'noisy', '60s')));
    const turned: APIResponse[] = [];
    const turnAway = async () => void turned.push(await hold(complete, 'noisy', '2s'));
    try {
      assert.deepEqual(
        held.map(({ status }) => status),
        [200, 200, 200],
      );
      await Promise.all(Array.from({ length: 5 }, turnAway));
      assert.deepEqual(
        turned.map(({ status }) => status),
        [429, 429, 429, 429, 429],
      );
      const [first] = turned;
      assert.ok(first);
      // Later requests may be told to stay away for longer.
      assert.equal(first.headers['retry-after'], '1');
      assert.equal(first.headers['content-type'], 'text/plain; charset=utf-8');
      assert.ok(first.headers['x-kubernetes-pf-flowschema-uid']);
      assert.equal(Buffer.from(await readBody(first.body)).toString(), 'Too many requests, please try again later.\n');
      assert.equal((await as('someone').get('/version')).status, 200);
      assert.equal((await as('noisy', 'system:masters').get('/healthz')).status, 200);
      const dump = await admin().get('/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1');
      assert.match(dump.text, /^narrow, +of-noisy, +\d+, +-1, +noisy, +\S+Z, +1, +0, +0s, +\S+Z, +noisy, +list, /m);
    } finally {
      // Requests that are still held would keep the server from closing.
      for (const response of held) await release(response);
    }
    const { text } = await admin().get('/metrics');
    assert.match(
      text,
      /^apiserver_flowcontrol_rejected_requests_total\{priority_level="narrow",flow_schema="of-noisy",reason="queue-full"\} [1-9]/m,
    );
    assert.match(text, /^apiserver_flowcontrol_current_executing_seats\{priority_level="narrow",flow_schema="of-noisy"\} 0$/m);
    assert.match(text, /^apiserver_flowcontrol_nominal_limit_seats\{priority_level="narrow"\} 3$/m);
    assert.match(text, /^apiserver_request_terminations_total\{verb="LIST",[^}]*code="429"\} [1-9]/m);
  });

  it('holds the seat of a watch until what was there at the beginning has been sent', async () => {
    const seats = async () => {
      const { text } = await admin().get('/metrics');
      return /^apiserver_flowcontrol_current_executing_requests\{priority_level="global-default",flow_schema="global-default"\} (\d+)$/m.exec(
        text,
      )?.[1];
    };
    await complete.admin(configMaps).create({ metadata: { namespace: 'default', name: 'seen' } });
    await grantAll(complete, 'watcher');
    const watch = await as('watcher').watch(
      '/api/v1/namespaces/default/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
    );
    try {
      assert.equal(await seats(), '1');
      assert.equal((await watch.next()).type, 'ADDED');
      for (let event = await watch.next(); event.type !== 'BOOKMARK'; event = await watch.next());
      const next = watch.next();
      await eventually('the seat is free', async () => (await seats()) === '0');
      await complete.admin(configMaps).create({ metadata: { namespace: 'default', name: 'later' } });
      assert.equal((await next).type, 'ADDED');
    } finally {
      await watch.stop();
    }
  });

  it('tells what it is doing in tables', async () => {
    for (const dump of ['dump_priority_levels', 'dump_queues', 'dump_requests']) {
      const { status, text } = await admin().get(`/debug/api_priority_and_fairness/${dump}`);
      assert.deepEqual([status, text.startsWith('PriorityLevelName,')], [200, true]);
    }
    const { text } = await admin().get('/debug/api_priority_and_fairness/dump_priority_levels');
    assert.match(text, /^workload-low, +0, +true, +false, +0, +0, +\d+, +0, +0, +0$/m);
    assert.equal((await admin().get('/debug/api_priority_and_fairness/nope')).status, 404);
    assert.equal((await as('u').get('/debug/api_priority_and_fairness/dump_queues')).status, 403);
  });

  it('brings mandatory objects back to what they are, and follows the suggested ones until told otherwise', async () => {
    const levels = complete.admin(priorityLevelConfigurations);
    const change = async (name: string, annotation?: string) => {
      const present = await levels.get({ namespace: '', name });
      const spec = { ...present.spec, type: 'Limited', limited: { ...present.spec?.limited, nominalConcurrencyShares: 77 } };
      const annotations = { ...present.metadata.annotations, ...(annotation === undefined ? {} : { [autoUpdate]: annotation }) };
      await levels.update({ ...present, metadata: { ...present.metadata, annotations }, spec });
    };
    await levels.create({
      ...level('former', { limitResponse: { type: 'Reject' } }),
      metadata: { name: 'former', annotations: { [autoUpdate]: 'true' } },
    });
    await change('catch-all', 'false');
    await change('system');
    await change('workload-high', 'false');
    await levels.delete({ namespace: '', name: 'node-high' });
    await ensureFlowControl(complete.admin);
    const { items } = await levels.list();
    const told = items.map(({ metadata, spec }) => [
      metadata.name,
      spec?.limited?.nominalConcurrencyShares,
      metadata.annotations?.[autoUpdate],
    ]);
    assert.deepEqual(
      told.filter(([name]) => ['catch-all', 'system', 'workload-high', 'node-high', 'former'].includes(String(name))),
      [
        ['catch-all', 5, 'true'],
        ['node-high', 40, 'true'],
        ['system', 30, 'true'],
        ['workload-high', 77, 'false'],
      ],
    );
    const before = items.map(({ metadata }) => metadata.resourceVersion);
    await ensureFlowControl(complete.admin);
    const after = (await levels.list()).items.map(({ metadata }) => metadata.resourceVersion);
    assert.deepEqual(after, before, 'what is as it should be is left alone');
  });
});

/** A list whose answer is not read: its request holds a seat until it is released. */
function hold(complete: CompleteServer, user: string, timeout: string): Promise<APIResponse> {
  return complete.server.transport({
    method: 'GET',
    path: '/api/v1/configmaps',
    query: `timeout=${timeout}`,
    headers: { 'user-agent': 'test' },
    signal: new AbortController().signal,
    user: { name: user, groups: ['system:authenticated'] },
  });
}

async function release({ body }: APIResponse): Promise<void> {
  if (body.kind === 'stream') await body.chunks[Symbol.asyncIterator]().return?.();
}

async function grantAll(complete: CompleteServer, user: string): Promise<void> {
  await createAPICaller(complete.server.transport).post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: `all-${user}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
  await eventually('the rights', async () => {
    const answer = await createAPICaller(complete.server.transport, { name: user, groups: ['system:authenticated'] }).get('/api/v1/nodes');
    return answer.status === 200;
  });
}
