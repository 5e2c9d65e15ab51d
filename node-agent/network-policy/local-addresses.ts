import type { Clock } from '../../api/base/clock.ts';
import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import type { Pod } from '../../api/types/core-v1.ts';

interface Entry {
  readonly pod: DeepReadonly<Pod>;
  readonly addresses: readonly string[];
  readonly sinceMs: number;
}

/** A Pod that the API does not show by then has been deleted before it ran. */
const forgottenAfterMs = 60_000;

/** Addresses that Pods of this node have been given, but that the API does not show yet. */
export class LocalAddresses {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(pod: DeepReadonly<Pod>, addresses: readonly string[]): void {
    this.#entries.set(pod.metadata.uid ?? '', { pod, addresses, sinceMs: this.#clock.monotonicMs() });
  }

  /** The Pods as the API shows them, completed by what it does not know yet. */
  complete(pods: readonly DeepReadonly<Pod>[]): DeepReadonly<Pod>[] {
    if (this.#entries.size === 0) return [...pods];
    const seen = new Set<string>();
    const completed = pods.map((pod): DeepReadonly<Pod> => {
      const uid = pod.metadata.uid ?? '';
      const entry = this.#entries.get(uid);
      if (entry === undefined) return pod;
      seen.add(uid);
      // What is told later, as of a sandbox that was made anew, counts.
      if (entry.addresses.every((ip) => pod.status?.podIPs?.some((known) => known.ip === ip))) {
        this.#entries.delete(uid);
        return pod;
      }
      return withAddresses(pod, entry.addresses);
    });
    for (const [uid, { pod, addresses, sinceMs }] of this.#entries) {
      if (seen.has(uid)) continue;
      if (this.#clock.monotonicMs() - sinceMs > forgottenAfterMs) this.#entries.delete(uid);
      else completed.push(withAddresses(pod, addresses));
    }
    return completed;
  }
}

function withAddresses(pod: DeepReadonly<Pod>, addresses: readonly string[]): DeepReadonly<Pod> {
  const [podIP] = addresses;
  return { ...pod, status: { ...pod.status, ...(podIP === undefined ? {} : { podIP }), podIPs: addresses.map((ip) => ({ ip })) } };
}
