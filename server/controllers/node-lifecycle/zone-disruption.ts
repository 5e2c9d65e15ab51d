import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import type { Node } from '../../../api/types/core-v1.ts';

type Disruption = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** From this share of unwell nodes on, and more than two of them, the zone itself is in trouble rather than its nodes. */
const unhealthyShare = 0.55;
const largeZone = 50;
const evictionsPerSecond = 0.1;
const secondaryEvictionsPerSecond = 0.01;

/** Region and zone of a node. */
export function zoneOf(node: DeepReadonly<Node>): string {
  const labels = node.metadata.labels ?? {};
  return `${labels['topology.kubernetes.io/region'] ?? ''}:${labels['topology.kubernetes.io/zone'] ?? ''}`;
}

export function disruptionOf(nodes: readonly DeepReadonly<Node>[]): Disruption {
  const ready = nodes.filter(isNodeReady).length;
  const unready = nodes.length - ready;
  if (ready === 0 && unready > 0) return 'FullDisruption';
  return unready > 2 && unready / nodes.length >= unhealthyShare ? 'PartialDisruption' : 'Normal';
}

/**
 * The number of nodes a second of the zone whose Pods may be evicted. When all zones are fully disrupted, the control plane is more likely
 * cut off than all nodes dead, and no Pods are evicted.
 */
export function evictionRate(zone: string, all: readonly DeepReadonly<Node>[]): number {
  const zones = new Map<string, DeepReadonly<Node>[]>();
  for (const node of all) zones.set(zoneOf(node), [...(zones.get(zoneOf(node)) ?? []), node]);
  const states = new Map(Array.from(zones, ([name, nodes]) => [name, disruptionOf(nodes)]));
  if ([...states.values()].every((state) => state === 'FullDisruption')) return 0;
  if (states.get(zone) !== 'PartialDisruption') return evictionsPerSecond;
  return (zones.get(zone) ?? []).length > largeZone ? secondaryEvictionsPerSecond : 0;
}
