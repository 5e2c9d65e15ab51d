import assert from 'node:assert/strict';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import type { Node, Pod } from '../../api/types/core-v1.ts';
import type { PodDisruptionBudget } from '../../api/types/policy-v1.ts';
import { createSchedulerCache } from './cache/scheduler-cache.ts';
import type { ClusterState } from './framework/cluster-state.ts';
import { findNode } from './framework/find-node.ts';
import { formatFitFailure } from './framework/fit-error.ts';
import { findPreemption } from './framework/preempt.ts';
import { schedulerPlugins } from './plugins/plugins.ts';
import { createSchedulingQueue } from './queue/scheduling-queue.ts';

const node = (name: string, change: Partial<Node> = {}): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110' } },
  ...change,
});
const pod = (name: string, spec: Partial<NonNullable<Pod['spec']>> = {}, cpu?: string): Pod => ({
  metadata: { name, namespace: 'default', labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'nginx', ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) }], ...spec },
});

function clusterOf(nodes: Node[], running: readonly Pod[], promised: readonly [Pod, string][] = []): ClusterState {
  const cache = createSchedulerCache(createManualClock());
  for (const each of nodes) cache.setNode(each);
  for (const each of running) cache.setPod(each);
  for (const [each, name] of promised) cache.nominate(each, name);
  return {
    nodes: cache.nodes(),
    findNode: cache.findNode,
    nominatedOn: cache.nominatedOn,
    findNamespace: () => undefined,
    findClaim: () => undefined,
    findVolume: () => undefined,
    volumes: () => [],
    findStorageClass: () => undefined,
    findCSIDriver: () => undefined,
    findCSINode: () => undefined,
    storageCapacities: () => [],
    findResourceClaim: () => undefined,
    findDeviceClass: () => undefined,
    devicePools: () => ({ poolsOf: () => [] }),
    takenDevices: new Set(),
    isBeingAllocated: () => false,
    selectorsOf: () => [],
  };
}

function choose(nodes: Node[], running: readonly Pod[], wanted: Pod): string {
  const cluster = clusterOf(nodes, running);
  const found = findNode(schedulerPlugins, wanted, cluster, createSeededRandom(1));
  return 'node' in found ? found.node.name : formatFitFailure(found.failure);
}

describe('scheduler: findNode', () => {
  const cases: [string, Node[], Pod[], Pod, string][] = [
    ['says that there are no nodes', [], [], pod('p'), 'no nodes available to schedule pods'],
    ['takes the emptier node', [node('a'), node('b')], [pod('x', { nodeName: 'a' }, '1')], pod('p', {}, '500m'), 'b'],
    ['names what is short', [node('a'), node('b')], [], pod('p', {}, '3'), '0/2 nodes are available: 2 Insufficient cpu.'],
    [
      'counts reasons in order',
      [
        node('a', { spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] } }),
        node('b', { spec: { unschedulable: true } }),
        node('c'),
      ],
      [],
      pod('p', {}, '3'),
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.',
    ],
    ['obeys a node selector', [node('a'), node('b')], [], pod('p', { nodeSelector: { 'kubernetes.io/hostname': 'b' } }), 'b'],
    [
      'says that no selector matches',
      [node('a')],
      [],
      pod('p', { nodeSelector: { disk: 'ssd' } }),
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'keeps pods apart that ask for it',
      [node('a'), node('b')],
      [pod('x', { nodeName: 'a' })],
      pod('p', {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
            ],
          },
        },
      }),
      'b',
    ],
    [
      'spreads by topology',
      [node('a'), node('b')],
      [pod('x', { nodeName: 'a' })],
      pod('p', {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'web' } },
          },
        ],
      }),
      'b',
    ],
    [
      'sees that a host port is taken',
      [node('a')],
      [pod('x', { nodeName: 'a', containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] })],
      pod('p', { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
    [
      'waits for claims',
      [node('a')],
      [],
      pod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }),
      '0/1 nodes are available: persistentvolumeclaim "data" not found.',
    ],
  ];
  for (const [says, nodes, running, wanted, expected] of cases) it(says, () => assert.equal(choose(nodes, running, wanted), expected));
});

interface PreemptionCase {
  readonly says: string;
  readonly running: readonly Pod[];
  readonly wanted: Pod;
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly promised?: readonly [Pod, string][];
  readonly expected: string;
}

describe('scheduler: preemption', () => {
  const placed = (name: string, nodeName: string, priority: number, cpu: string, startTime = '2026-01-01T00:00:00Z'): Pod => ({
    ...pod(name, { nodeName, priority }, cpu),
    status: { startTime },
  });
  const budget = (disruptionsAllowed: number): PodDisruptionBudget => ({
    metadata: { name: 'b', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'web' } } },
    status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  });
  const urgent = pod('p', { priority: 10 }, '1');
  const fullNodes = [placed('x', 'a', 5, '2'), placed('y', 'b', 1, '2')];
  const cases: PreemptionCase[] = [
    { says: 'takes the place of the least important', running: fullNodes, wanted: urgent, expected: 'b: y' },
    {
      says: 'leaves those in place beside which it fits, the important ones first',
      running: [placed('x', 'a', 5, '1'), placed('z', 'a', 1, '1'), placed('y', 'b', 6, '2')],
      wanted: urgent,
      expected: 'a: z',
    },
    {
      says: 'lets the younger of two equals go',
      running: [placed('old', 'a', 1, '1'), placed('young', 'a', 1, '1', '2026-01-02T00:00:00Z'), placed('y', 'b', 10, '2')],
      wanted: urgent,
      expected: 'a: young',
    },
    {
      says: 'rather lets more important ones go than violate a budget',
      running: [
        { ...placed('x', 'a', 5, '2'), metadata: { name: 'x', namespace: 'other', labels: { app: 'web' } } },
        placed('y', 'b', 1, '2'),
      ],
      wanted: urgent,
      budgets: [budget(0)],
      expected: 'a: x',
    },
    {
      says: 'says where nobody is less important',
      running: [placed('x', 'a', 10, '2'), placed('y', 'b', 20, '2')],
      wanted: urgent,
      expected: '0/2 nodes are available: 2 No preemption victims found for incoming pod.',
    },
    {
      says: 'says where it would not help',
      running: fullNodes,
      wanted: pod('p', { priority: 10, nodeSelector: { disk: 'ssd' } }, '1'),
      expected: '0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
    },
    {
      says: 'obeys preemptionPolicy',
      running: fullNodes,
      wanted: pod('p', { priority: 10, preemptionPolicy: 'Never' }, '1'),
      expected: 'not eligible due to preemptionPolicy=Never.',
    },
    {
      says: 'does not take room that was promised to one as important',
      running: [placed('x', 'a', 5, '2'), placed('y', 'b', 1, '1')],
      wanted: urgent,
      promised: [[pod('q', { priority: 10 }, '2'), 'b']],
      expected: 'a: x',
    },
  ];
  for (const { says, running, wanted, budgets = [], promised = [], expected } of cases)
    it(says, () => {
      const cluster = clusterOf([node('a'), node('b')], running, promised);
      const found = findNode(schedulerPlugins, wanted, cluster, createSeededRandom(1));
      assert.ok('failure' in found);
      const preemption = findPreemption(schedulerPlugins, wanted, cluster, found.failure, budgets, createSeededRandom(1));
      const names = (list: readonly DeepReadonly<Pod>[]) => list.map(({ metadata }) => metadata.name).join();
      assert.equal('node' in preemption ? `${preemption.node.name}: ${names(preemption.victims)}` : preemption.message, expected);
    });
});

describe('scheduler: queue', () => {
  const start = (gated: ReadonlySet<string> = new Set()) => {
    const clock = createManualClock();
    const queue = createSchedulingQueue({
      clock,
      mayHelp: (plugin, event) => plugin === 'NodeResourcesFit' && event === 'PodDelete',
      findGate: ({ metadata }) => (gated.has(metadata.name ?? '') ? 'Gate' : undefined),
    });
    return { clock, queue };
  };

  it('gives the most important pod first, then the oldest', async () => {
    const { queue } = start();
    for (const each of [pod('first'), pod('second'), pod('urgent', { priority: 10 })]) queue.addOrUpdate(each);
    const order = [await queue.next(), await queue.next(), await queue.next()].map((queued) => queued?.pod.metadata.name);
    assert.deepEqual(order, ['urgent', 'first', 'second']);
  });

  it('keeps an unschedulable pod until an event that may help, then backs off', async () => {
    const { clock, queue } = start();
    queue.addOrUpdate(pod('p'));
    const queued = await queue.next();
    assert.ok(queued);
    queue.putBackUnschedulable(queued, new Set(['NodeResourcesFit']));
    queue.onEvent('NodeUpdate');
    assert.deepEqual(queue.lengths(), { active: 0, backoff: 0, unschedulable: 1 });
    queue.onEvent('PodDelete');
    assert.deepEqual(queue.lengths(), { active: 0, backoff: 1, unschedulable: 0 });
    await clock.advance(1000);
    assert.equal(queue.lengths().active, 1);
  });

  it('tries a pod no later for its own report', async () => {
    const { clock, queue } = start();
    queue.addOrUpdate(pod('p'));
    const queued = await queue.next();
    assert.ok(queued);
    queue.putBackUnschedulable(queued, new Set(['NodeResourcesFit']));
    queue.onEvent('PodDelete');
    queue.addOrUpdate({ ...pod('p'), status: { nominatedNodeName: 'a' } });
    assert.deepEqual(queue.lengths(), { active: 0, backoff: 1, unschedulable: 0 });
    await clock.advance(1000);
    assert.equal((await queue.next())?.pod.status?.nominatedNodeName, 'a');
  });

  it('never tries a pod that is gated, however long that takes', async () => {
    const gated = new Set(['p']);
    const { clock, queue } = start(gated);
    queue.addOrUpdate(pod('p'));
    await clock.advance(3_600_000);
    assert.deepEqual(queue.lengths(), { active: 0, backoff: 0, unschedulable: 1 });
    gated.clear();
    queue.addOrUpdate({ ...pod('p'), status: { resourceClaimStatuses: [{ name: 'c', resourceClaimName: 'p-c' }] } });
    await clock.advance(1000);
    assert.equal(queue.lengths().active, 1);
  });

  it('wakes only pods that an event concerns', async () => {
    const { queue } = start();
    for (const name of ['a', 'b']) queue.addOrUpdate(pod(name));
    const [a, b] = [await queue.next(), await queue.next()];
    assert.ok(a && b);
    queue.putBackUnschedulable(a, new Set(['NodeResourcesFit']));
    queue.onEvent('PodDelete', ({ metadata }) => metadata.name === 'b');
    assert.equal(queue.lengths().unschedulable, 1);
    queue.putBackUnschedulable(b, new Set(['NodeResourcesFit']));
    assert.deepEqual(queue.lengths(), { active: 0, backoff: 1, unschedulable: 1 });
  });

  it('does not lose an event that came while the pod was being tried', async () => {
    const { queue } = start();
    queue.addOrUpdate(pod('p'));
    const queued = await queue.next();
    assert.ok(queued);
    queue.onEvent('PodDelete');
    queue.putBackUnschedulable(queued, new Set(['NodeResourcesFit']));
    assert.equal(queue.lengths().backoff, 1);
  });
});

describe('scheduler: cache', () => {
  it('frees the room of an assumed pod whose binding never shows', async () => {
    const clock = createManualClock();
    const cache = createSchedulerCache(clock);
    cache.setNode(node('a'));
    const assumed = pod('p', {}, '2');
    cache.assume(assumed, 'a');
    assert.equal(cache.findNode('a')?.requested.get('cpu'), 2000);
    cache.finishBinding(assumed);
    await clock.advance(31_000);
    assert.equal(cache.findNode('a')?.requested.get('cpu'), undefined);
  });
});
