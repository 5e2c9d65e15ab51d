import type { Clock } from '../../../api/base/clock.ts';
import type { EtcdMembers } from './etcd-members.ts';

interface Lease {
  readonly id: Promise<string>;
  readonly expiresAtMs: number;
  keys: number;
}

/** The time in which keys share a lease, the same as upstream's: the lease lives longer than they must by at most 5 % or a minute. */
const maxReuseSeconds = 60;
const reuseShare = 0.05;
const maxKeys = 1000;

/** Leases for keys with a time to live. Many keys share one, since a lease for each Event would burden etcd. */
export class EtcdLeases {
  readonly #members: EtcdMembers;
  readonly #clock: Clock;
  readonly #byTTL = new Map<number, Lease>();

  constructor(members: EtcdMembers, clock: Clock) {
    this.#members = members;
    this.#clock = clock;
  }

  /** A lease that keeps a key for at least this time. */
  async leaseFor(ttlSeconds: number): Promise<string> {
    const nowMs = this.#clock.monotonicMs(); // the wall clock may be set back
    const known = this.#byTTL.get(ttlSeconds);
    if (known && known.keys < maxKeys && known.expiresAtMs >= nowMs + ttlSeconds * 1000) {
      known.keys++;
      return known.id;
    }
    const seconds = ttlSeconds + Math.min(maxReuseSeconds, Math.floor(ttlSeconds * reuseShare));
    const id = this.#grant(seconds);
    const lease: Lease = { id, expiresAtMs: nowMs + seconds * 1000, keys: 1 };
    this.#byTTL.set(ttlSeconds, lease);
    id.catch(() => this.#forget(ttlSeconds, lease));
    return id;
  }

  /** After etcd did not know a lease: it may have been revoked by hand. */
  forgetAll(): void {
    this.#byTTL.clear();
  }

  #forget(ttlSeconds: number, lease: Lease): void {
    if (this.#byTTL.get(ttlSeconds) === lease) this.#byTTL.delete(ttlSeconds);
  }

  async #grant(seconds: number): Promise<string> {
    // a lease that was granted without our hearing of it does no harm: it expires
    const { ID } = await this.#members.read((member, options) => member.leases.leaseGrant({ TTL: seconds }, options));
    return ID;
  }
}
