import type { AddressType } from '../runtime/endpoint-slices/slice-plan.ts';
import { isOverloaded, type ZoneCounts } from './zone-allocation.ts';
import type { ZoneShares } from './zone-shares.ts';

/** The Services with hints by topology, and the number of endpoints that each zone has by them. */
export class HintedServices {
  readonly #counts = new Map<string, Map<AddressType, ZoneCounts>>();
  readonly #hinted = new Set<string>();

  has(key: string): boolean {
    return this.#hinted.has(key);
  }

  set(key: string, addressType: AddressType, counts: ZoneCounts): void {
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, new Map([[addressType, counts]]));
    else known.set(addressType, counts);
    this.#hinted.add(key);
  }

  delete(key: string, addressType: AddressType): void {
    const known = this.#counts.get(key);
    known?.delete(addressType);
    if (known?.size === 0) this.#counts.delete(key);
    this.#hinted.delete(key);
  }

  forget(key: string): void {
    this.#counts.delete(key);
    this.#hinted.delete(key);
  }

  isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  /** The Services with too few endpoints for a zone at these shares. */
  overloaded(shares: ZoneShares | undefined): string[] {
    return [...this.#counts]
      .filter(([, byType]) => [...byType.values()].some((counts) => isOverloaded(counts, shares)))
      .map(([key]) => key);
  }
}
