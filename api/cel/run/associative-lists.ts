import { equalValues, listContains } from './equality.ts';
import { findField } from './access.ts';
import { elementsOf } from '../libraries/standard/operators.ts';
import { type CELValue, type ListValue, NativeList } from '../types/values.ts';

/**
 * A list of x-kubernetes-list-type set: order does not count when it is compared, and adding another list adds only the
 * elements that are new.
 */
export class SetList implements ListValue {
  readonly kind = 'list';
  readonly #list: ListValue;
  constructor(list: ListValue) {
    this.#list = list;
  }
  get size(): number {
    return this.#list.size;
  }
  get(index: number): CELValue {
    return this.#list.get(index);
  }
  equalsList(other: ListValue): boolean {
    return other.size === this.size && elementsOf(other).every((element) => listContains(this, element));
  }
  concat(other: ListValue): ListValue {
    const fresh = elementsOf(other).filter((element) => !listContains(this, element));
    return new SetList(new NativeList([...elementsOf(this), ...fresh]));
  }
}

/**
 * A list of x-kubernetes-list-type map: compared by the keys of its elements, whatever their order; elements of a list
 * that is added take the places of those with the same keys, and others follow.
 */
export class MapList implements ListValue {
  readonly kind = 'list';
  readonly #list: ListValue;
  /** Names of fields as expressions write them. */
  readonly #keys: readonly string[];
  constructor(list: ListValue, keys: readonly string[]) {
    this.#list = list;
    this.#keys = keys;
  }
  get size(): number {
    return this.#list.size;
  }
  get(index: number): CELValue {
    return this.#list.get(index);
  }
  #byKey(list: ListValue): Map<string, CELValue> {
    const keyOf = (element: CELValue) =>
      this.#keys
        .map((key) => {
          const value = findField(element, key);
          return value === undefined ? '-' : `${typeof value}:${String(value).length}:${String(value)}`;
        })
        .join('|');
    return new Map(elementsOf(list).map((element) => [keyOf(element), element]));
  }
  equalsList(other: ListValue): boolean {
    if (other.size !== this.size) return false;
    const [mine, theirs] = [this.#byKey(this), this.#byKey(other)];
    return [...mine].every(([key, element]) => {
      const found = theirs.get(key);
      return found !== undefined && equalValues(element, found);
    });
  }
  concat(other: ListValue): ListValue {
    return new MapList(new NativeList([...new Map([...this.#byKey(this), ...this.#byKey(other)]).values()]), this.#keys);
  }
}
