import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { Endpoint } from '../../../api/types/discovery-v1.ts';
import { allocateToZones, type ZoneAllocation, type ZoneCounts, planTransfers } from './zone-allocation.ts';
import type { ZoneShares } from './zone-shares.ts';

/** The older annotation takes precedence. */
const modeAnnotations = ['service.kubernetes.io/topology-aware-hints', 'service.kubernetes.io/topology-mode'] as const;

/** Whether the Service's endpoints are to be divided among the zones in proportion to their processors. */
export function hasTopologyHints({ metadata }: DeepReadonly<Service>): boolean {
  const mode = modeAnnotations.map((name) => metadata.annotations?.[name]).find((value) => value !== undefined);
  return mode === 'Auto' || mode === 'auto';
}

/** The endpoints of a slice, with their present hints. */
type SliceEndpoints = readonly Endpoint[];

export type TopologyHints =
  /** Why endpoints can have none. */
  | { readonly problem: string }
  /** The zone that each of these endpoints is for, and how many endpoints that makes for each zone in all. */
  | { readonly zones: ReadonlyMap<Endpoint, string>; readonly counts: ZoneCounts };

/**
 * Assigns ready endpoints to zones. Each serves its own zone as long as that has no more than its share. Slices that would not be written
 * anyhow keep their hints if these are within bounds.
 */
export function planTopologyHints(
  written: readonly SliceEndpoints[],
  unwritten: readonly SliceEndpoints[],
  shares: ZoneShares | undefined,
): TopologyHints {
  const ready = [...written, ...unwritten].flat().filter(isReady).length;
  const allocations = allocateToZones(ready, shares);
  if (typeof allocations === 'string') return { problem: allocations };
  const counts = new Map<string, number>();
  const count = (zone: string, by: number) => counts.set(zone, (counts.get(zone) ?? 0) + by);
  const changing = [...written];
  for (const slice of unwritten) {
    const hinted = hintsWithin(slice, counts, allocations);
    if (hinted === undefined) changing.push(slice);
    else for (const [zone, number] of hinted) count(zone, number);
  }
  const zones = new Map<Endpoint, string>();
  for (const endpoint of changing.flat().filter(isReady)) {
    if (!endpoint.zone) return { problem: 'One or more endpoints do not have a zone specified' };
    zones.set(endpoint, endpoint.zone);
    count(endpoint.zone, 1);
  }
  const { giving, receiving } = planTransfers(allocations, counts);
  for (const [endpoint, zone] of zones) {
    const [taker] = receiving.keys();
    if (taker === undefined) break;
    if (!giving.has(zone)) continue;
    zones.set(endpoint, taker);
    take(giving, zone);
    take(receiving, taker);
    count(zone, -1);
    count(taker, 1);
  }
  return { zones, counts };
}

/** The endpoints that a slice's hints give each zone; undefined if they cannot stay. */
function hintsWithin(
  slice: SliceEndpoints,
  counts: ZoneCounts,
  allocations: ReadonlyMap<string, ZoneAllocation>,
): Map<string, number> | undefined {
  const hinted = new Map<string, number>();
  for (const { hints } of slice.filter(isReady)) {
    if (!hints?.forZones?.length) return undefined;
    for (const { name } of hints.forZones) hinted.set(name, (hinted.get(name) ?? 0) + 1);
  }
  const fits = [...hinted].every(([zone, number]) => number + (counts.get(zone) ?? 0) <= (allocations.get(zone)?.maximum ?? -1));
  return fits ? hinted : undefined;
}

function take(amounts: Map<string, number>, zone: string): void {
  const left = (amounts.get(zone) ?? 0) - 1;
  if (left > 0) amounts.set(zone, left);
  else amounts.delete(zone);
}

function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready === true;
}
