import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { Pod, Service } from '../../../api/types/core-v1.ts';

interface Seen {
  readonly service: number;
  /** By the Pod's name. */
  readonly pods: ReadonlyMap<string, number>;
}

/**
 * The times since which each Service's endpoints should have been as they are now. Service proxies measure their delay from them.
 * Milliseconds of the API's clock.
 */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** The earliest time of a change since the last call for this Service; undefined: no change had a time. */
  next(key: string, service: DeepReadonly<Service>, pods: readonly DeepReadonly<Pod>[]): number | undefined {
    const created = findTime(service.metadata.creationTimestamp) ?? 0;
    const before = this.#seen.get(key);
    const times = new Map<string, number>();
    for (const pod of pods) {
      const time = readySince(pod);
      if (time !== undefined) times.set(pod.metadata.name ?? '', time);
    }
    this.#seen.set(key, { service: created, pods: times });
    if (before === undefined) return created;
    const changed = [...times].filter(([name, time]) => time > (before.pods.get(name) ?? 0)).map(([, time]) => time);
    if (created > before.service) changed.push(created);
    return changed.length === 0 ? undefined : Math.min(...changed);
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}

/** When the Pod became ready, or ceased to be. */
function readySince({ status }: DeepReadonly<Pod>): number | undefined {
  return findTime(status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime);
}
