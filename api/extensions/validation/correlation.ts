import { isEqual } from '../../base/equality.ts';
import { isJSONObject, type JSONObject } from '../../base/json-object.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';

/**
 * A value of an updated object with the value it had before. Fields correlate by name and elements of map lists by their keys; elements of
 * other lists do not correlate.
 */
export class Correlation {
  readonly value: unknown;
  readonly old: unknown;
  readonly #schema: StructuralSchema;
  #isUnchanged: boolean | undefined;
  #oldByKeys: ReadonlyMap<string, unknown> | undefined;

  constructor(value: unknown, old: unknown, schema: StructuralSchema) {
    this.value = value;
    this.old = old;
    this.#schema = schema;
  }

  /** A field of both objects. */
  key(name: string): Correlation | undefined {
    const { value, old } = this;
    if (!isJSONObject(value) || !isJSONObject(old) || !Object.hasOwn(value, name) || !Object.hasOwn(old, name)) return undefined;
    const schema = this.#schema.properties?.get(name)?.schema ?? this.#schema.additionalProperties;
    return schema && new Correlation(value[name], old[name], schema);
  }

  /** The element at the index, with the element of the old list that has the same keys. */
  index(index: number): Correlation | undefined {
    const { value, old } = this;
    const { items, listType } = this.#schema;
    if (!Array.isArray(value) || !Array.isArray(old) || items === undefined || listType !== 'map') return undefined;
    const element: unknown = value[index];
    if (!isJSONObject(element)) return undefined;
    const keys = this.#keysOf(element);
    this.#oldByKeys ??= this.#indexOld(old);
    const found = keys === undefined ? undefined : this.#oldByKeys.get(keys);
    return found === undefined ? undefined : new Correlation(element, found, items);
  }

  #indexOld(old: readonly unknown[]): ReadonlyMap<string, unknown> {
    const found = new Map<string, unknown>();
    for (const element of old) {
      if (!isJSONObject(element)) continue;
      const keys = this.#keysOf(element);
      if (keys !== undefined && !found.has(keys)) found.set(keys, element);
    }
    return found;
  }

  /** The identity of an element: its keys. undefined where a key is absent or is not a scalar. */
  #keysOf(element: JSONObject): string | undefined {
    let keys = '';
    for (const name of this.#schema.listMapKeys ?? []) {
      const key = Object.hasOwn(element, name) ? element[name] : undefined;
      if (key === undefined || typeof key === 'object') return undefined;
      keys += `${typeof key}:${typeof key === 'string' ? JSON.stringify(key) : String(key)},`;
    }
    return keys;
  }

  /** Whether the value is unchanged. The order of a map list does not count if all its elements have their keys. */
  get isUnchanged(): boolean {
    this.#isUnchanged ??= this.#compare();
    return this.#isUnchanged;
  }

  #compare(): boolean {
    const { value, old } = this;
    if (Array.isArray(value) && Array.isArray(old)) {
      if (value.length !== old.length) return false;
      if (this.#schema.listType !== 'map') return isEqual(value, old);
      return value.every((_, index) => this.index(index)?.isUnchanged === true);
    }
    if (isJSONObject(value) && isJSONObject(old)) {
      const names = Object.keys(value);
      return names.length === Object.keys(old).length && names.every((name) => this.key(name)?.isUnchanged === true);
    }
    return isEqual(value, old);
  }
}
