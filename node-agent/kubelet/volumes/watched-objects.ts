import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { Informer } from '../../../api/client/informers/informer.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

/** Objects of one kind that Pods refer to by name. Each is watched by itself, and only while a Pod uses it: a node may see no others. */
interface WatchedObjects<T extends KubeObject> {
  get(namespace: string, name: string): Promise<DeepReadonly<T> | undefined>;
  /** From now on these, and no others, are used by the Pod. */
  use(podUID: string, namespace: string, names: ReadonlySet<string>): void;
  stop(): void;
}

interface WatchedObjectsDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** An object that the Pod uses has changed. */
  readonly onChange: (podUID: string) => void;
}

interface Watched<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly abort: AbortController;
  readonly users: Set<string>;
}

export function createWatchedObjects<T extends KubeObject>(
  resource: ResourceDefinition<T>,
  dependencies: WatchedObjectsDependencies,
): WatchedObjects<T> {
  const watched = new Map<string, Watched<T>>();
  const watch = (namespace: string, name: string): Watched<T> => {
    const abort = new AbortController();
    const factory = createInformerFactory(dependencies);
    const informer = factory.informer(resource, { namespace, fieldSelector: `metadata.name=${name}` });
    const users = new Set<string>();
    const tell = () => {
      for (const uid of users) dependencies.onChange(uid);
    };
    informer.addHandler({ onAdd: (_, isInInitialList) => void (isInInitialList || tell()), onUpdate: tell, onDelete: tell });
    factory.run(abort.signal).catch((error: unknown) => dependencies.logger.warn('watching an object ended', { name, namespace, error }));
    return { informer, abort, users };
  };
  return {
    async get(namespace, name) {
      const found = watched.get(`${namespace}/${name}`);
      // An object that the watch has not seen yet may have been made a moment ago.
      const cached = found?.informer.hasSynced() ? found.informer.lister.find({ namespace, name }) : undefined;
      if (cached) return cached;
      return (await ignoreNotFound(dependencies.client(resource).get({ namespace, name }))) as DeepReadonly<T> | undefined;
    },
    use(podUID, namespace, names) {
      for (const name of names) {
        const key = `${namespace}/${name}`;
        const entry = watched.get(key) ?? watch(namespace, name);
        entry.users.add(podUID);
        watched.set(key, entry);
      }
      for (const [key, { users, abort }] of watched) {
        const isUsed = key.startsWith(`${namespace}/`) && names.has(key.slice(namespace.length + 1));
        if (!isUsed) users.delete(podUID);
        if (users.size > 0) continue;
        abort.abort();
        watched.delete(key);
      }
    },
    stop() {
      for (const { abort } of watched.values()) abort.abort();
      watched.clear();
    },
  };
}
