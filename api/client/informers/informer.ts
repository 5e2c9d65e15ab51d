import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { KubeObject, ObjectKey } from '../../meta/object.ts';
import type { ResourceDefinition } from '../../resource/resource-definition.ts';

/** Read access to an informer's store. Objects are shared and must not be modified. */
export interface Lister<T extends KubeObject> {
  find(key: ObjectKey): DeepReadonly<T> | undefined;
  /** All, or those of a namespace, that match. */
  list(options?: { readonly namespace?: string; readonly matches?: (object: DeepReadonly<T>) => boolean }): DeepReadonly<T>[];
  /** Objects under an index value; the index was named at addIndex. */
  byIndex(index: string, value: string): DeepReadonly<T>[];
  /** A number that changes with every change of the objects, for callers that derive values from them. */
  version(): number;
}

export interface InformerHandler<T extends KubeObject> {
  onAdd?(object: DeepReadonly<T>, isInInitialList: boolean): void;
  onUpdate?(object: DeepReadonly<T>, old: DeepReadonly<T>): void;
  onDelete?(object: DeepReadonly<T>): void;
}

/** Follows one resource by list and watch, resuming without a gap, and keeps it in a store. */
export interface Informer<T extends KubeObject> {
  readonly resource: ResourceDefinition<T>;
  readonly lister: Lister<T>;
  /** Adds a handler and returns a function that removes it. A handler added late first gets the objects that are already there. */
  addHandler(handler: InformerHandler<T>): () => void;
  /** Idempotent; may be called before or after start. */
  addIndex(name: string, valuesOf: (object: DeepReadonly<T>) => readonly string[]): void;
  hasSynced(): boolean;
  /** Resolves when the first list is in the store and the handlers have been called for it. */
  synced(signal: AbortSignal): Promise<void>;
}

/** Makes informers: one for each resource (and selector), shared by all users in one process. */
export interface InformerFactory {
  informer<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    options?: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
  ): Informer<T>;
  /** Starts informers asked for so far and those asked for later; ends when the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when all informers asked for so far have synced. */
  synced(signal: AbortSignal): Promise<void>;
}
