import assert from 'node:assert/strict';
import { createManualClock } from '../../api/base/manual-clock.ts';
import { createSeededRandom } from '../../api/base/seeded-random.ts';
import type { Node, Pod } from '../../api/types/core-v1.ts';
import { createSchedulerCache } from './cache/scheduler-cache.ts';
import type { ClusterState } from './framework/cluster-state.ts';
import { findNode } from './framework/find-node.ts';
import { formatFitFailure } from './framework/fit-error.ts';
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

function choose(nodes: Node[], running: readonly Pod[], wanted: Pod): string {
  const cache = createSchedulerCache(createManualClock());
  for (const each of nodes) cache.setNode(each);
  for (const each of running) cache.setPod(each);
  const cluster: ClusterState = {
    nodes: cache.nodes(),
    findNode: cache.findNode,
    findNamespace: () => undefined,
    findClaim: () => undefined,
    findVolume: () => undefined,
    selectorsOf: () => [],
  };
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
      '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 1 node(s) were unschedulable.',
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

describe('scheduler: queue', () => {
  const start = () => {
    const clock = createManualClock();
    const queue = createSchedulingQueue({
      clock,
      mayHelp: (plugin, event) => plugin === 'NodeResourcesFit' && event === 'PodDelete',
      admits: () => true,
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
