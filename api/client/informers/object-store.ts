import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { formatKey, keyOf, type KubeObject, type ObjectKey } from '../../meta/object.ts';
import type { Lister } from './informer.ts';

type ValuesOf<T> = (object: DeepReadonly<T>) => readonly string[];

interface Index<T> {
  readonly valuesOf: ValuesOf<T>;
  /** Index value -> keys of the objects under it. */
  readonly keys: Map<string, Set<string>>;
}

const namespaceIndex = ' namespace';

/** The objects of one informer, by key and by the indexes that were requested. */
export class ObjectStore<T extends KubeObject> implements Lister<T> {
  readonly #objects = new Map<string, DeepReadonly<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  #version = 0;

  constructor() {
    this.addIndex(namespaceIndex, (object) => [object.metadata.namespace ?? '']);
  }

  find(key: ObjectKey): DeepReadonly<T> | undefined {
    return this.#objects.get(formatKey(key));
  }

  list(options: { readonly namespace?: string; readonly matches?: (object: DeepReadonly<T>) => boolean } = {}): DeepReadonly<T>[] {
    const objects = options.namespace ? this.byIndex(namespaceIndex, options.namespace) : [...this.#objects.values()];
    return options.matches === undefined ? objects : objects.filter(options.matches);
  }

  byIndex(name: string, value: string): DeepReadonly<T>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new TypeError(`there is no index "${name}"`);
    const objects: DeepReadonly<T>[] = [];
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) objects.push(object);
    }
    return objects;
  }

  version(): number {
    return this.#version;
  }

  addIndex(name: string, valuesOf: ValuesOf<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { valuesOf, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) insert(index, key, object);
  }

  /** Returns the previous object. */
  set(object: DeepReadonly<T>): DeepReadonly<T> | undefined {
    const key = formatKey(keyOf(object));
    const old = this.#objects.get(key);
    this.#version++;
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (old !== undefined) withdraw(index, key, old);
      insert(index, key, object);
    }
    return old;
  }

  /** Returns the removed object. */
  remove(key: ObjectKey): DeepReadonly<T> | undefined {
    const text = formatKey(key);
    const old = this.#objects.get(text);
    if (old === undefined) return undefined;
    this.#version++;
    this.#objects.delete(text);
    for (const index of this.#indexes.values()) withdraw(index, text, old);
    return old;
  }

  size(): number {
    return this.#objects.size;
  }
}

function insert<T>(index: Index<T>, key: string, object: DeepReadonly<T>): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keys.get(value);
    if (keys === undefined) index.keys.set(value, new Set([key]));
    else keys.add(key);
  }
}

function withdraw<T>(index: Index<T>, key: string, object: DeepReadonly<T>): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}
