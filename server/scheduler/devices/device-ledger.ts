import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { devicesOf } from '../../../api/semantics/devices/resource-claims.ts';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';

type Claim = DeepReadonly<ResourceClaim>;

interface InFlight {
  readonly devices: readonly string[];
  /** The claim as the API has it, which the informer does not know yet. */
  written?: Claim;
}

/**
 * The devices that claims hold, by the informer and by allocations that the informer does not show yet, so that no device is allocated
 * twice.
 */
export class DeviceLedger {
  /** Device -> how many hold it: for a moment the informer's and the scheduler's own knowledge may both. */
  readonly #holders = new Map<string, number>();
  readonly #known = new Map<string, readonly string[]>();
  readonly #inFlight = new Map<string, InFlight>();

  has(device: string): boolean {
    return this.#holders.has(device);
  }

  /** The informer's newest state of a claim. */
  setKnown(claim: Claim): void {
    const uid = uidOf(claim);
    this.#replaceKnown(uid, devicesOf(claim.status?.allocation));
    const flight = this.#inFlight.get(uid);
    const hasSeen = claim.status?.allocation !== undefined || (flight?.written !== undefined && isAsNew(claim, flight.written));
    if (hasSeen) this.#end(uid);
  }

  remove(claim: Claim): void {
    this.#replaceKnown(uidOf(claim), []);
    this.#end(uidOf(claim));
  }

  assume(claim: Claim, devices: readonly string[]): void {
    this.#end(uidOf(claim));
    this.#inFlight.set(uidOf(claim), { devices });
    this.#hold(devices);
  }

  /** The newest answer of the API. */
  written(claim: Claim): void {
    if (claim.status?.allocation === undefined) return this.#end(uidOf(claim));
    const flight = this.#inFlight.get(uidOf(claim));
    if (flight !== undefined) flight.written = claim;
  }

  /** Forgets a decision; a result that was written stays. */
  forget(claim: Claim): void {
    if (this.#inFlight.get(uidOf(claim))?.written === undefined) this.#end(uidOf(claim));
  }

  newest(known: Claim): Claim {
    return this.#inFlight.get(uidOf(known))?.written ?? known;
  }

  isBeingAllocated(claim: Claim): boolean {
    const flight = this.#inFlight.get(uidOf(claim));
    return flight !== undefined && flight.written === undefined;
  }

  #replaceKnown(uid: string, devices: readonly string[]): void {
    this.#hold(devices);
    this.#release(this.#known.get(uid) ?? []);
    if (devices.length === 0) this.#known.delete(uid);
    else this.#known.set(uid, devices);
  }

  #end(uid: string): void {
    this.#release(this.#inFlight.get(uid)?.devices ?? []);
    this.#inFlight.delete(uid);
  }

  #hold(devices: readonly string[]): void {
    for (const device of devices) this.#holders.set(device, (this.#holders.get(device) ?? 0) + 1);
  }

  #release(devices: readonly string[]): void {
    for (const device of devices) {
      const left = (this.#holders.get(device) ?? 0) - 1;
      if (left > 0) this.#holders.set(device, left);
      else this.#holders.delete(device);
    }
  }
}

function uidOf({ metadata }: Claim): string {
  return metadata.uid ?? '';
}

function isAsNew(known: Claim, written: Claim): boolean {
  return BigInt(known.metadata.resourceVersion || 0) >= BigInt(written.metadata.resourceVersion || 0);
}
