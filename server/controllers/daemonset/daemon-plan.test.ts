import assert from 'node:assert/strict';
import type { DaemonSet } from '../../../api/types/apps-v1.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { revisionHashLabel } from '../runtime/controller-revisions.ts';
import { daemonPod, placementOn, targetNode } from './daemon-pod.ts';
import { type DaemonInput, planPlacement, planUpdate } from './daemon-plan.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');

function set(rollingUpdate: object = {}): DaemonSet {
  return {
    metadata: { name: 'agent', namespace: 'default', uid: 'd1' },
    spec: {
      selector: {},
      template: { spec: { containers: [], nodeSelector: { role: 'worker' } } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...rollingUpdate } },
    },
  };
}
const node = (name: string, rest: Partial<NonNullable<Node['spec']>> = {}, role = 'worker'): Node => ({
  metadata: { name, labels: { role } },
  spec: rest,
});
const pod = (
  name: string,
  on: string,
  rest: { hash?: string; ready?: boolean; deleted?: boolean; phase?: 'Running' | 'Failed' } = {},
): Pod => ({
  metadata: {
    name,
    uid: name,
    labels: { [revisionHashLabel]: rest.hash ?? 'new' },
    creationTimestamp: `2026-01-01T11:00:0${name.slice(-1)}Z`,
    ...(rest.deleted ? { deletionTimestamp: 'x' } : {}),
  },
  spec: { nodeName: on, containers: [] },
  status: { phase: rest.phase ?? 'Running', conditions: [{ type: 'Ready', status: rest.ready === false ? 'False' : 'True' }] },
});
const input = (nodes: Node[], pods: Pod[], of = set()): DaemonInput => ({ set: of, nodes, pods, hash: 'new', nowMs });
const names = (pods: readonly { metadata: { readonly name?: string } }[]) => pods.map(({ metadata }) => metadata.name);

describe('placementOn', () => {
  const unschedulable = { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }] };
  const table: [string, Node, boolean, boolean][] = [
    ['a node that is selected', node('n1'), true, true],
    ['one that is not', node('n1', {}, 'other'), false, false],
    ['a cordoned node', node('n1', unschedulable), true, true],
    ['a node that new Pods are kept from', node('n1', { taints: [{ key: 'x', effect: 'NoSchedule' }] }), false, true],
    ['a node that Pods are driven from', node('n1', { taints: [{ key: 'x', effect: 'NoExecute' }] }), false, false],
  ];
  for (const [name, on, shouldRun, mayStay] of table) it(name, () => assert.deepEqual(placementOn(set(), on), { shouldRun, mayStay }));
});

describe('daemonPod', () => {
  it('can go to its node only', () => {
    const made = daemonPod(set(), 'n1', 'abc');
    assert.equal(targetNode(made), 'n1');
    assert.equal(made.metadata.labels?.[revisionHashLabel], 'abc');
    assert.deepEqual(
      made.spec?.tolerations?.map(({ key, effect }) => `${key?.replace('node.kubernetes.io/', '')}:${effect}`),
      [
        'not-ready:NoExecute',
        'unreachable:NoExecute',
        'disk-pressure:NoSchedule',
        'memory-pressure:NoSchedule',
        'pid-pressure:NoSchedule',
        'unschedulable:NoSchedule',
      ],
    );
  });
});

describe('planPlacement', () => {
  it('puts one Pod on each node and takes the others away', () => {
    const nodes = [node('n1'), node('n2'), node('n3', {}, 'other')];
    const plan = planPlacement(input(nodes, [pod('a1', 'n2'), pod('a2', 'n2'), pod('a3', 'n3'), pod('a4', 'n2', { deleted: true })]));
    assert.deepEqual([plan.create, names(plan.delete), names(plan.finished)], [['n1'], ['a2', 'a3'], []]);
  });
  it('clears finished Pods away, and waits for terminating ones', () => {
    const plan = planPlacement(input([node('n1'), node('n2')], [pod('a1', 'n1', { phase: 'Failed' }), pod('a2', 'n2', { deleted: true })]));
    assert.deepEqual([plan.create, names(plan.delete), names(plan.finished)], [[], [], ['a1']]);
  });
});

describe('planUpdate', () => {
  const nodes = [node('n1'), node('n2'), node('n3')];
  const old = (name: string, on: string, rest = {}) => pod(name, on, { hash: 'old', ...rest });
  const table: [string, DaemonSet, Pod[], string[], string[]][] = [
    ['replaces as many as may be unavailable', set(), [old('a1', 'n1'), old('a2', 'n2'), old('a3', 'n3')], [], ['a1']],
    ['waits while others are unavailable', set(), [pod('a1', 'n1', { ready: false }), old('a2', 'n2'), old('a3', 'n3')], [], []],
    ['replaces what is unavailable anyhow', set(), [old('a1', 'n1', { ready: false }), old('a2', 'n2'), old('a3', 'n3')], [], ['a1']],
    ['counts nodes without a Pod', set({ maxUnavailable: 2 }), [old('a2', 'n2'), old('a3', 'n3')], [], ['a2']],
    ['goes in steps of a share', set({ maxUnavailable: '50%' }), [old('a1', 'n1'), old('a2', 'n2'), old('a3', 'n3')], [], ['a1', 'a2']],
    ['surges', set({ maxSurge: 1, maxUnavailable: 0 }), [old('a1', 'n1'), old('a2', 'n2'), old('a3', 'n3')], ['n1'], []],
    [
      'takes the old one when the new is available',
      set({ maxSurge: 1, maxUnavailable: 0 }),
      [old('a1', 'n1'), pod('a4', 'n1'), old('a2', 'n2'), pod('a3', 'n3')],
      ['n2'],
      ['a1'],
    ],
    ['rests when done', set(), [pod('a1', 'n1'), pod('a2', 'n2'), pod('a3', 'n3')], [], []],
  ];
  for (const [name, of, pods, create, deleted] of table) {
    it(name, () => {
      const plan = planUpdate(input(nodes, pods, of));
      assert.deepEqual([plan.create, names(plan.delete)], [create, deleted]);
    });
  }
});
