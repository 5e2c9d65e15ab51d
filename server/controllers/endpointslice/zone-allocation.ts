import type { ZoneShares } from './zone-shares.ts';

/** How many of a Service's endpoints a zone is to get. */
export interface ZoneAllocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

export type ZoneCounts = ReadonlyMap<string, number>;

/** An endpoint may get so much more than its fair part of the traffic. */
const overloadThreshold = 0.2;

/** Undefined shares: see zoneShares. Answers in words why there can be no allocation. */
export function allocateToZones(endpoints: number, shares: ZoneShares | undefined): ReadonlyMap<string, ZoneAllocation> | string {
  if (shares === undefined) return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes';
  const numbers = `(${endpoints} endpoints, ${shares.size} zones)`;
  if (shares.size > endpoints) return `Insufficient number of endpoints ${numbers}`;
  const minima = new Map([...shares].map(([zone, share]) => [zone, minimumOf(endpoints, share)]));
  const spare = endpoints - [...minima.values()].reduce((sum, minimum) => sum + minimum, 0);
  if (spare < 0) return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${numbers}`;
  return new Map(
    [...shares].map(([zone, share]) => {
      const minimum = minima.get(zone) ?? 0;
      return [zone, { minimum, maximum: minimum + spare, desired: Math.max(share * endpoints, minimum) }];
    }),
  );
}

/** Whether a zone has too few of the endpoints that were given to zones, now that shares are these. */
export function isOverloaded(counts: ZoneCounts, shares: ZoneShares | undefined): boolean {
  if (counts.size === 0) return false;
  if (shares === undefined) return true;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...shares].some(([zone, share]) => (counts.get(zone) ?? -1) < minimumOf(total, share));
}

function minimumOf(endpoints: number, share: number): number {
  return Math.ceil(endpoints * share * (1 / (1 + overloadThreshold)));
}

/** How many endpoints zones have to give away, and how many others are to get. */
export function planTransfers(
  allocations: ReadonlyMap<string, ZoneAllocation>,
  counts: ZoneCounts,
): { readonly giving: Map<string, number>; readonly receiving: Map<string, number> } {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const difference = (counts.get(zone) ?? 0) - desired;
    if (difference > 0) surplus.set(zone, difference);
    else if (difference < 0) lack.set(zone, -difference);
  }
  const [giving, receiving] = [new Map<string, number>(), new Map<string, number>()];
  for (;;) {
    const [giver, taker] = [largest(surplus), largest(lack)];
    if (giver === undefined || taker === undefined) break;
    // Endpoints cannot be divided: half an endpoint is worth a transfer if the other zone then has a whole one.
    if (Math.max(giver.amount, taker.amount) < 1 || Math.min(giver.amount, taker.amount) < 0.5) break;
    giving.set(giver.zone, (giving.get(giver.zone) ?? 0) + 1);
    surplus.set(giver.zone, giver.amount - 1);
    receiving.set(taker.zone, (receiving.get(taker.zone) ?? 0) + 1);
    lack.set(taker.zone, taker.amount - 1);
  }
  return { giving, receiving };
}

/** The zone with the largest positive amount. */
function largest(amounts: ZoneCounts): { readonly zone: string; readonly amount: number } | undefined {
  let found: { readonly zone: string; readonly amount: number } | undefined;
  for (const [zone, amount] of amounts) if (amount > (found?.amount ?? 0)) found = { zone, amount };
  return found;
}
