import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { isEstablished } from '../../../api/extensions/plan-definition-status.ts';
import { toDefinitions } from '../../../api/extensions/to-definitions.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import type { CachedObject, CacheEvent } from '../../storage/watch-cache/watch-cache.ts';
import type { Store } from '../registry/store.ts';
import type { ResourceCatalog } from '../served/resource-catalog.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;

/** The CustomResourceDefinitions of the store, and the kinds that they add to the catalog. */
export interface FollowedDefinitions {
  /** The definitions that are known, by their name. */
  readonly known: ReadonlyMap<string, CRD>;
  /** Another number whenever one of them has come, changed or gone. */
  revision(): number;
  /** The bytes of a known definition as it is stored. */
  sizeOf(crd: CRD): number;
  /** Takes over the definitions that the cache holds now. */
  sync(): void;
  /** Like `sync`, after the cache has reached the present state of the store. */
  catchUp(signal: AbortSignal): Promise<void>;
  /** Calls the listener with the names of definitions that came, changed or went. */
  onChange(listener: (names: readonly string[]) => void): void;
  /** Follows the cache until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

interface FollowDependencies {
  /** The store of CustomResourceDefinitions. */
  readonly store: Store;
  readonly catalog: ResourceCatalog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A definition in the state that was taken over last. */
interface Followed {
  readonly revision: number;
  readonly crd: CRD;
  readonly served: readonly ResourceDefinition[];
}

const everything = { keyPrefix: '', selector: '', matches: () => true };
const retryDelayMs = 1000;

export function followDefinitions({ store, catalog, clock, logger }: FollowDependencies): FollowedDefinitions {
  const { followed, known, sizes, take, forget } = createTaken(store, logger);
  let revision = 0;
  const listeners = new Set<(names: readonly string[]) => void>();
  const sync = () => {
    const changed: string[] = [];
    const present = new Set<string>();
    for (const cached of store.cache.list({ keyPrefix: '' }).objects) {
      present.add(cached.name);
      if (take(cached)) changed.push(cached.name);
    }
    for (const name of followed.keys()) {
      if (present.has(name)) continue;
      forget(name);
      changed.push(name);
    }
    publish(changed);
  };
  /** Takes over what has changed since, so that each of many changes does not cost a pass over all definitions. */
  const takeEvents = (events: readonly CacheEvent[]) => {
    const changed = new Set<string>();
    for (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      const { object } = event;
      // A catch-up may have taken a later state already.
      if (object.revision <= (followed.get(object.name)?.revision ?? 0)) continue;
      if (event.type !== 'DELETED') take(object);
      else if (followed.has(object.name)) forget(object.name);
      else continue;
      changed.add(object.name);
    }
    publish([...changed]);
  };
  const publish = (changed: readonly string[]) => {
    if (changed.length === 0) return;
    revision++;
    catalog.replace(new Map(changed.map((name) => [name, followed.get(name)?.served ?? []])));
    for (const listener of listeners) listener(changed);
  };
  return {
    known,
    revision: () => revision,
    sizeOf: (crd) => sizes.get(crd) ?? 0,
    sync,
    async catchUp(signal) {
      await store.reachNewest(signal);
      sync();
    },
    onChange: (listener) => void listeners.add(listener),
    async run(signal) {
      while (!signal.aborted) {
        try {
          const { cache } = store;
          const watch = cache.watch({ scope: everything, afterRevision: cache.revision(), bookmarks: false, signal });
          sync();
          for await (const { events } of watch) takeEvents(events);
        } catch (error) {
          if (signal.aborted) return;
          logger.warn('CustomResourceDefinitions cannot be followed; trying again', { error });
        }
        await sleep(clock, retryDelayMs, signal).catch(() => undefined);
      }
    },
  };
}

/** The definitions that were taken over from the cache, with functions that take over or drop one. */
function createTaken(store: Store, logger: Logger) {
  const followed = new Map<string, Followed>();
  const known = new Map<string, CRD>();
  const sizes = new WeakMap<CRD, number>();
  return {
    followed,
    known,
    sizes,
    take(cached: CachedObject): boolean {
      const former = followed.get(cached.name);
      if (former?.revision === cached.revision) return false;
      try {
        const crd = store.read(cached) as unknown as CRD;
        followed.set(cached.name, { revision: cached.revision, crd, served: servedOf(crd, former) });
        known.set(cached.name, crd);
        sizes.set(crd, cached.json.length);
      } catch (error) {
        logger.error('a CustomResourceDefinition cannot be served', { name: cached.name, error });
        followed.set(cached.name, { revision: cached.revision, crd: {} as CRD, served: [] });
        known.delete(cached.name);
      }
      return true;
    },
    forget(name: string): void {
      followed.delete(name);
      known.delete(name);
    },
  };
}

/** The definitions of an established kind. They stay the same objects as long as nothing of the kind has changed. */
function servedOf(crd: CRD, former: Followed | undefined): readonly ResourceDefinition[] {
  if (!isEstablished(crd)) return [];
  const isTerminating = isConditionTrue(crd.status?.conditions ?? [], 'Terminating');
  const isSame =
    former !== undefined &&
    former.served.length > 0 &&
    former.crd.metadata.uid === crd.metadata.uid &&
    isSemanticallyEqual(former.crd.spec, crd.spec) &&
    isSemanticallyEqual(former.crd.status?.acceptedNames, crd.status?.acceptedNames);
  if (!isSame) return toDefinitions(crd).map((definition) => (isTerminating ? { ...definition, isTerminating } : definition));
  if (former.served.every((definition) => (definition.isTerminating ?? false) === isTerminating)) return former.served;
  return former.served.map((definition) => ({ ...definition, isTerminating }));
}
