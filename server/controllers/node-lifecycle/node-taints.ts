import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findNodeCondition } from '../../../api/semantics/nodes/node-conditions.ts';
import { wellKnownTaints } from '../../../api/semantics/nodes/taints.ts';
import type { Node, Taint } from '../../../api/types/core-v1.ts';

type ReadonlyNode = DeepReadonly<Node>;
type Taints = readonly DeepReadonly<Taint>[];

const taintOfCondition: readonly (readonly [condition: string, status: string, key: string])[] = [
  ['Ready', 'False', wellKnownTaints.notReady],
  ['Ready', 'Unknown', wellKnownTaints.unreachable],
  ['MemoryPressure', 'True', wellKnownTaints.memoryPressure],
  ['DiskPressure', 'True', wellKnownTaints.diskPressure],
  ['NetworkUnavailable', 'True', wellKnownTaints.networkUnavailable],
  ['PIDPressure', 'True', wellKnownTaints.pidPressure],
];

const managed = new Set<string>([...taintOfCondition.map(([, , key]) => key), wellKnownTaints.unschedulable]);
const evicting: ReadonlySet<string> = new Set([wellKnownTaints.notReady, wellKnownTaints.unreachable]);

/** Keys of the taints that keep new Pods away, as conditions and `kubectl cordon` would have them. */
function wantedNoSchedule(node: ReadonlyNode): string[] {
  const keys = taintOfCondition.filter(([type, status]) => findNodeCondition(node, type)?.status === status).map(([, , key]) => key);
  return node.spec?.unschedulable ? [...keys, wellKnownTaints.unschedulable] : keys;
}

/** Key of the taint that drives Pods away, if the node is not well. */
export function wantedNoExecute(node: ReadonlyNode): string | undefined {
  const status = findNodeCondition(node, 'Ready')?.status;
  if (status === 'False') return wellKnownTaints.notReady;
  return status === 'Unknown' ? wellKnownTaints.unreachable : undefined;
}

export function hasNoExecute(node: ReadonlyNode, key: string): boolean {
  return (node.spec?.taints ?? []).some((taint) => taint.key === key && taint.effect === 'NoExecute');
}

/** The node's taints as its conditions would have them; the same array if it has them. Others' taints are left alone. */
export function taintsOf(node: ReadonlyNode, evict: string | undefined, now: string): Taints {
  const present: Taints = node.spec?.taints ?? [];
  const noSchedule = new Set(wantedNoSchedule(node));
  const isWanted = ({ key, effect }: DeepReadonly<Taint>) => {
    if (effect === 'NoSchedule' && managed.has(key)) return noSchedule.has(key);
    if (effect === 'NoExecute' && evicting.has(key)) return key === evict;
    return true;
  };
  const kept = present.filter(isWanted);
  const has = (key: string, effect: string) => kept.some((taint) => taint.key === key && taint.effect === effect);
  const added: Taint[] = [...noSchedule]
    .filter((key) => !has(key, 'NoSchedule'))
    .map((key) => ({ key, effect: 'NoSchedule', timeAdded: now }));
  if (evict !== undefined && !has(evict, 'NoExecute')) added.push({ key: evict, effect: 'NoExecute', timeAdded: now });
  return kept.length === present.length && added.length === 0 ? present : [...kept, ...added];
}
