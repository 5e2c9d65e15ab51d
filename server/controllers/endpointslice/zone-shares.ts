import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityMilliValue } from '../../../api/base/quantity/arithmetic.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import type { Node } from '../../../api/types/core-v1.ts';

/** Part of the cluster's processors that each zone has; the sum is 1. */
export type ZoneShares = ReadonlyMap<string, number>;

const controlPlaneLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'] as const;

/**
 * Each zone's share of the processors of ready nodes, without those of the control plane. Undefined if no shares can be computed: a node
 * does not state its zone or processors, or there are fewer than two zones.
 */
export function zoneShares(nodes: readonly DeepReadonly<Node>[]): ZoneShares | undefined {
  const byZone = new Map<string, number>();
  for (const node of nodes) {
    if (controlPlaneLabels.some((label) => node.metadata.labels?.[label] !== undefined) || !isNodeReady(node)) continue;
    const zone = zoneOf(node);
    const milliCPU = quantityMilliValue(node.status?.allocatable?.['cpu'] ?? '0');
    if (zone === undefined || milliCPU === 0) return undefined;
    byZone.set(zone, (byZone.get(zone) ?? 0) + milliCPU);
  }
  if (byZone.size < 2) return undefined;
  const total = [...byZone.values()].reduce((sum, milliCPU) => sum + milliCPU, 0);
  return new Map([...byZone].map(([zone, milliCPU]) => [zone, milliCPU / total]));
}

/** Undefined for a node that has none. */
export function zoneOf({ metadata }: DeepReadonly<Node>): string | undefined {
  return metadata.labels?.['topology.kubernetes.io/zone'] || undefined;
}

/** Whether a change of a node changes the shares. */
export function movesShares(node: DeepReadonly<Node>, old: DeepReadonly<Node>): boolean {
  return isNodeReady(node) !== isNodeReady(old) || zoneOf(node) !== zoneOf(old);
}
