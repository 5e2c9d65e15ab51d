import assert from 'node:assert/strict';
import type { Node, Taint } from '../../../api/types/core-v1.ts';
import { conditionsOfSilentNode } from './node-conditions.ts';
import { taintsOf, wantedNoExecute } from './node-taints.ts';
import { disruptionOf, evictionRate } from './zone-disruption.ts';

const now = '2026-01-01T12:00:00Z';

function node(ready: 'True' | 'False' | 'Unknown', taints: Taint[] = [], rest: { unschedulable?: boolean; zone?: string } = {}): Node {
  const { unschedulable, zone } = rest;
  return {
    metadata: { name: 'n', ...(zone ? { labels: { 'topology.kubernetes.io/zone': zone } } : {}) },
    spec: { taints, ...(unschedulable ? { unschedulable } : {}) },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  };
}
const taint = (key: string, effect: Taint['effect'], timeAdded?: string): Taint => ({ key, effect, ...(timeAdded ? { timeAdded } : {}) });
const short = (taints: readonly { key: string; effect: string }[]) =>
  taints.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`);

describe('conditionsOfSilentNode', () => {
  it('doubts what the kubelet said, and says what it never said', () => {
    const conditions = conditionsOfSilentNode(node('True'), now);
    assert.deepEqual(
      conditions.map(({ type, status, reason }) => [type, status, reason]),
      [
        ['Ready', 'Unknown', 'NodeStatusUnknown'],
        ['MemoryPressure', 'Unknown', 'NodeStatusNeverUpdated'],
        ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
        ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ],
    );
    const silent: Node = {
      metadata: {},
      status: { conditions: [...conditions] as NonNullable<NonNullable<Node['status']>['conditions']> },
    };
    assert.equal(conditionsOfSilentNode(silent, 'later'), silent.status?.conditions);
  });
});

describe('taintsOf', () => {
  const notReady = 'node.kubernetes.io/not-ready';
  const unreachable = 'node.kubernetes.io/unreachable';
  const table: [string, Node, string | undefined, string[]][] = [
    ['a node that is well', node('True'), undefined, []],
    ['one that is not ready', node('False'), notReady, ['not-ready:NoSchedule', 'not-ready:NoExecute']],
    ['one that is not ready but must not be emptied', node('False'), undefined, ['not-ready:NoSchedule']],
    [
      'one that went from not ready to silent',
      node('Unknown', [taint(notReady, 'NoSchedule'), taint(notReady, 'NoExecute'), taint('mine', 'NoExecute')]),
      unreachable,
      ['mine:NoExecute', 'unreachable:NoSchedule', 'unreachable:NoExecute'],
    ],
    ['one that is well again', node('True', [taint(notReady, 'NoExecute'), taint(notReady, 'NoSchedule')]), undefined, []],
    ['one that is cordoned', node('True', [], { unschedulable: true }), undefined, ['unschedulable:NoSchedule']],
  ];
  for (const [name, of, evict, expected] of table) it(name, () => assert.deepEqual(short(taintsOf(of, evict, now)), expected));
  it('returns the same taints if they are right', () => {
    const cordoned = node('True', [taint('node.kubernetes.io/unschedulable', 'NoSchedule')], { unschedulable: true });
    assert.equal(taintsOf(cordoned, wantedNoExecute(cordoned), now), cordoned.spec?.taints);
  });
});

describe('zone disruption', () => {
  const many = (count: number, ready: 'True' | 'Unknown', zone = 'a') => Array.from({ length: count }, () => node(ready, [], { zone }));
  it('tells trouble of nodes from trouble of the zone', () => {
    assert.equal(disruptionOf(many(3, 'True')), 'Normal');
    assert.equal(disruptionOf([...many(3, 'True'), ...many(2, 'Unknown')]), 'Normal');
    assert.equal(disruptionOf([...many(2, 'True'), ...many(3, 'Unknown')]), 'PartialDisruption');
    assert.equal(disruptionOf(many(1, 'Unknown')), 'FullDisruption');
  });
  it('evicts nobody when all is lost', () => {
    assert.equal(evictionRate(':a', many(1, 'Unknown')), 0);
    assert.equal(evictionRate(':a', [...many(2, 'Unknown', 'a'), ...many(1, 'True', 'b')]), 0.1);
    assert.equal(evictionRate(':a', [...many(2, 'True'), ...many(3, 'Unknown')]), 0);
    assert.equal(evictionRate(':a', [...many(30, 'True'), ...many(70, 'Unknown')]), 0.01);
  });
});
