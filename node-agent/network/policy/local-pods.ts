import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

/** A Pod with a sandbox on this node, whatever the API shows of it. */
export interface LocalPod {
  readonly pod: DeepReadonly<Pod>;
  readonly addresses: readonly string[];
}

interface Entry extends LocalPod {
  readonly sinceMs: number;
}

/** The time for which a sandbox may be known here before the runtime lists it. */
const listedAfterMs = 60_000;

/**
 * The Pods that really run here with their addresses: policies hold for them from before their first process until their
 * sandbox is gone, also when they are not in the API yet or not any more.
 */
export class LocalPods {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ pod, addresses }: LocalPod): void {
    const uid = pod.metadata.uid ?? '';
    // An address belongs to one sandbox: a sandbox that had it before is gone.
    for (const [other, entry] of this.#entries) {
      if (other !== uid && entry.addresses.some((address) => addresses.includes(address))) this.#entries.delete(other);
    }
    this.#entries.set(uid, { pod, addresses, sinceMs: this.#clock.monotonicMs() });
  }

  /** True if it was there. */
  remove(uid: string): boolean {
    return this.#entries.delete(uid);
  }

  /** Takes over the runtime's list: Pods without a sandbox are removed. Returns whether anything has changed. */
  observe(listed: readonly LocalPod[]): boolean {
    let hasChanged = false;
    const uids = new Set(listed.map(({ pod }) => pod.metadata.uid ?? ''));
    for (const [uid, { sinceMs }] of this.#entries) {
      if (!uids.has(uid) && this.#clock.monotonicMs() - sinceMs > listedAfterMs) hasChanged = this.#entries.delete(uid) || hasChanged;
    }
    for (const one of listed) {
      if (this.#entries.has(one.pod.metadata.uid ?? '')) continue;
      this.add(one);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** The Pods as the API shows them, with the addresses that they have here, and those that it does not show. */
  complete(pods: readonly DeepReadonly<Pod>[]): DeepReadonly<Pod>[] {
    if (this.#entries.size === 0) return [...pods];
    const seen = new Set<string>();
    const completed = pods.map((pod): DeepReadonly<Pod> => {
      const uid = pod.metadata.uid ?? '';
      const entry = this.#entries.get(uid);
      if (entry === undefined) return pod;
      seen.add(uid);
      return withAddresses(pod, entry.addresses);
    });
    for (const [uid, { pod, addresses }] of this.#entries) if (!seen.has(uid)) completed.push(withAddresses(pod, addresses));
    return completed;
  }
}

/** A Pod that the API shows as ended still has its sandbox here, and maybe processes that are about to end. */
function withAddresses(pod: DeepReadonly<Pod>, addresses: readonly string[]): DeepReadonly<Pod> {
  const [podIP] = addresses;
  const status = { ...pod.status, phase: 'Running' as const, podIPs: addresses.map((ip) => ({ ip })) };
  return { ...pod, status: podIP === undefined ? status : { ...status, podIP } };
}
