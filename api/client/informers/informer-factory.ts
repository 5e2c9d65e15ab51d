import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { formatKey, keyOf, type KubeObject } from '../../meta/object.ts';
import { groupResource, type ResourceDefinition } from '../../resource/resource-definition.ts';
import type { Client, ListOptions } from '../client.ts';
import type { Informer, InformerFactory, InformerHandler, Lister } from './informer.ts';
import { ObjectStore } from './object-store.ts';
import { type ReflectorSink, runReflector } from './reflector.ts';

interface InformerFactoryDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default true, see ReflectorSettings: in one process with the server the objects are shared with its cache. */
  readonly streamInitialList?: boolean;
}

type Selection = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>;

export function createInformerFactory(dependencies: InformerFactoryDependencies): InformerFactory {
  const informers = new Map<string, SharedInformer<KubeObject>>();
  const running: Promise<void>[] = [];
  let runSignal: AbortSignal | undefined;

  const start = (informer: SharedInformer<KubeObject>, signal: AbortSignal) => void running.push(informer.run(signal));
  return {
    informer<T extends KubeObject>(resource: ResourceDefinition<T>, selection: Selection = {}): Informer<T> {
      const id = [groupResource(resource), resource.version, selection.namespace, selection.labelSelector, selection.fieldSelector].join(
        '|',
      );
      let informer = informers.get(id);
      if (informer === undefined) {
        const created = new SharedInformer<T>(dependencies, resource, selection);
        // One map for all kinds: the id contains the resource, so the stored informer has the requested type.
        informer = created as unknown as SharedInformer<KubeObject>;
        informers.set(id, informer);
        if (runSignal !== undefined) start(informer, runSignal);
      }
      return informer as unknown as Informer<T>;
    },
    async run(signal) {
      runSignal = signal;
      for (const informer of informers.values()) start(informer, signal);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all(running);
    },
    async synced(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.synced(signal)));
    },
  };
}

class SharedInformer<T extends KubeObject> implements Informer<T>, ReflectorSink<T> {
  readonly resource: ResourceDefinition<T>;
  readonly #dependencies: InformerFactoryDependencies;
  readonly #selection: Selection;
  readonly #logger: Logger;
  readonly #store = new ObjectStore<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #firstList = Promise.withResolvers<void>();
  #hasSynced = false;

  constructor(dependencies: InformerFactoryDependencies, resource: ResourceDefinition<T>, selection: Selection) {
    this.resource = resource;
    this.#dependencies = dependencies;
    this.#selection = selection;
    this.#logger = dependencies.logger.with({ resource: groupResource(resource) });
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  addIndex(name: string, valuesOf: (object: DeepReadonly<T>) => readonly string[]): void {
    this.#store.addIndex(name, valuesOf);
  }

  addHandler(handler: InformerHandler<T>): () => void {
    for (const object of this.#store.list()) this.#call(() => handler.onAdd?.(object, true));
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  synced(signal: AbortSignal): Promise<void> {
    if (this.#hasSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#firstList.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, random, streamInitialList = true } = this.#dependencies;
    await runReflector({
      client: client(this.resource),
      selection: this.#selection,
      sink: this,
      clock,
      random,
      logger: this.#logger,
      streamInitialList,
      signal,
    });
  }

  /** Replaces the store's content; each difference is reported as if it had been watched. */
  replace(objects: readonly DeepReadonly<T>[]): void {
    const present = new Set(objects.map((object) => formatKey(keyOf(object))));
    for (const old of this.#store.list()) if (!present.has(formatKey(keyOf(old)))) this.remove(old);
    for (const object of objects) this.#put(object, !this.#hasSynced);
    this.#hasSynced = true;
    this.#firstList.resolve();
  }

  set(object: DeepReadonly<T>): void {
    this.#put(object, false);
  }

  remove(object: DeepReadonly<T>): void {
    if (this.#store.remove(keyOf(object)) === undefined) return;
    this.#tell((handler) => handler.onDelete?.(object));
  }

  #put(object: DeepReadonly<T>, isInInitialList: boolean): void {
    const old = this.#store.find(keyOf(object));
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      // The object was deleted and created again between two events: these are two objects, not a change of one.
      this.remove(old);
      return this.#put(object, false);
    }
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#store.set(object);
    if (old === undefined) this.#tell((handler) => handler.onAdd?.(object, isInInitialList));
    else this.#tell((handler) => handler.onUpdate?.(object, old));
  }

  #tell(call: (handler: InformerHandler<T>) => void): void {
    // A handler that is added meanwhile hears of the object by being added.
    const handlers = Array.from(this.#handlers);
    for (const handler of handlers) this.#call(() => call(handler));
  }

  /** A handler that throws is a bug, but must not cost the other handlers their events. */
  #call(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error('a handler of informer events failed', { error });
    }
  }
}
