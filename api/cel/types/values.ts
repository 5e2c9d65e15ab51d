import type { CELType } from './types.ts';

/**
 * A value of CEL. An int is a bigint and a double is a number, so that 1 and 1.0 stay told apart; a string is a
 * JavaScript string, whose size in CEL counts code points.
 */
export type CELValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | UintValue
  | TimestampValue
  | DurationValue
  | ListValue
  | MapValue
  | ObjectValue
  | OptionalValue
  | TypeValue
  | OpaqueValue;

export class UintValue {
  readonly kind = 'uint';
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export class TimestampValue {
  readonly kind = 'timestamp';
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class DurationValue {
  readonly kind = 'duration';
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export interface ListValue {
  readonly kind: 'list';
  readonly size: number;
  /** The element at an index from 0 to size - 1. */
  get(index: number): CELValue;
  /** Compares two lists without comparing all their elements one by one, if the implementation can. */
  equalsList?(other: ListValue): boolean;
  /** Concatenates lists where `list + other` is not a plain sequence of both (sets and list maps). */
  concat?(other: ListValue): ListValue;
}

/** Implement it to let an expression read a map of your own, for example one that answers for keys that it lacks. */
export interface MapValue {
  readonly kind: 'map';
  readonly size: number;
  find(key: CELValue): CELValue | undefined;
  keys(): readonly CELValue[];
}

export interface ObjectValue {
  readonly kind: 'object';
  readonly type: CELType;
  /** Undefined when the field is not set. */
  find(field: string): CELValue | undefined;
  /** The fields that are set. */
  fields(): readonly string[];
}

/** A value only functions can look into: quantity, semver, url, ip, cidr, format, authorizer. */
export interface OpaqueValue {
  readonly kind: 'opaque';
  readonly type: CELType;
  equals(other: CELValue): boolean;
  /** Size that size-dependent costs count; 1 when absent. */
  readonly costSize?: number;
}

export class OptionalValue {
  readonly kind = 'optional';
  /** Undefined: none. */
  readonly value: CELValue | undefined;
  constructor(value: CELValue | undefined) {
    this.value = value;
  }
}

export const none = new OptionalValue(undefined);

export class TypeValue {
  readonly kind = 'type';
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A list of CEL values. */
export class NativeList implements ListValue {
  readonly kind = 'list';
  readonly items: readonly CELValue[];
  constructor(items: readonly CELValue[]) {
    this.items = items;
  }
  get size(): number {
    return this.items.length;
  }
  get(index: number): CELValue {
    const item = this.items[index];
    if (item === undefined) throw new Failure(`index out of bounds: ${index}`);
    return item;
  }
}

/** The key under which a map stores a value: 1, 1u and 1.0 are the same key. undefined for a value that cannot be a key. */
export function mapKey(key: CELValue): string | bigint | boolean | undefined {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key;
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : undefined;
  return key instanceof UintValue ? key.value : undefined;
}

/** A map of CEL values, in the order of insertion. */
export class NativeMap implements MapValue {
  readonly kind = 'map';
  readonly #entries: ReadonlyMap<string | bigint | boolean, readonly [CELValue, CELValue]>;
  constructor(entries: ReadonlyMap<string | bigint | boolean, readonly [CELValue, CELValue]>) {
    this.#entries = entries;
  }
  /** Makes a map. If a key is given twice, the last value counts. Throws Failure for a value that cannot be a key. */
  static of(entries: Iterable<readonly [CELValue, CELValue]>): NativeMap {
    const map = new Map<string | bigint | boolean, readonly [CELValue, CELValue]>();
    for (const entry of entries) {
      const key = mapKey(entry[0]);
      if (key === undefined || typeof entry[0] === 'number') throw new Failure(`unsupported key type: ${typeName(entry[0])}`);
      map.set(key, entry);
    }
    return new NativeMap(map);
  }
  get size(): number {
    return this.#entries.size;
  }
  find(key: CELValue): CELValue | undefined {
    const found = mapKey(key);
    return found === undefined ? undefined : this.#entries.get(found)?.[1];
  }
  keys(): readonly CELValue[] {
    return [...this.#entries.values()].map(([key]) => key);
  }
}

/**
 * An evaluation error on its way to whoever absorbs it (|| and && may). Not an Error: it carries no stack, because an
 * expression may raise and absorb very many.
 */
export class Failure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Ends an evaluation that has become too costly; nothing absorbs it. */
export class CostLimitExceeded {
  readonly message = 'operation cancelled: actual cost limit exceeded';
}

export const noSuchKey = (key: CELValue): Failure => new Failure(`no such key: ${describe(key)}`);
export const noSuchOverload = (name?: string, args: readonly CELValue[] = []): Failure =>
  new Failure(name === undefined ? 'no such overload' : `no such overload: ${name}(${args.map(typeName).join(', ')})`);

/** The text of a key in an error message. */
export function describe(value: CELValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof UintValue) return String(value.value);
  if (value === null || typeof value !== 'object') return String(value);
  return typeName(value);
}

/** The name type(value) shows. */
export function typeName(value: CELValue): string {
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'boolean':
      return 'bool';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
  }
  if (value === null) return 'null_type';
  if (value instanceof Uint8Array) return 'bytes';
  switch (value.kind) {
    case 'timestamp':
      return 'google.protobuf.Timestamp';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'optional':
      return 'optional_type';
    case 'object':
    case 'opaque':
      return value.type.name;
    default:
      return value.kind;
  }
}
