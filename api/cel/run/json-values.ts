import { JSONFloat } from '../../base/json-float.ts';
import { MapList, SetList } from './associative-lists.ts';
import { type CELType, dynType } from '../types/types.ts';
import {
  type CELValue,
  DurationValue,
  Failure,
  type ListValue,
  type MapValue,
  NativeMap,
  type ObjectValue,
  TimestampValue,
  UintValue,
} from '../types/values.ts';
import { parseDurationText, parseTimestampText } from '../types/time-values.ts';

/** Makes a CEL value of JSON. */
type Adapt = (json: unknown) => CELValue;

class JSONList implements ListValue {
  readonly kind = 'list';
  readonly #items: readonly unknown[];
  readonly #adapt: Adapt;
  constructor(items: readonly unknown[], adapt: Adapt) {
    this.#items = items;
    this.#adapt = adapt;
  }
  get size(): number {
    return this.#items.length;
  }
  get(index: number): CELValue {
    return this.#adapt(this.#items[index]);
  }
}

class JSONMap implements MapValue {
  readonly kind = 'map';
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #adapt: Adapt;
  constructor(record: Readonly<Record<string, unknown>>, adapt: Adapt) {
    this.#record = record;
    this.#adapt = adapt;
  }
  get size(): number {
    return Object.keys(this.#record).length;
  }
  find(key: CELValue): CELValue | undefined {
    return typeof key === 'string' && Object.hasOwn(this.#record, key) ? this.#adapt(this.#record[key]) : undefined;
  }
  keys(): readonly CELValue[] {
    return Object.keys(this.#record);
  }
}

interface FieldReader {
  readonly json: string;
  readonly adapt: Adapt;
}

class JSONObject implements ObjectValue {
  readonly kind = 'object';
  readonly type: CELType;
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #fields: ReadonlyMap<string, FieldReader>;
  constructor(record: Readonly<Record<string, unknown>>, type: CELType, fields: ReadonlyMap<string, FieldReader>) {
    this.#record = record;
    this.type = type;
    this.#fields = fields;
  }
  find(field: string): CELValue | undefined {
    const reader = this.#fields.get(field);
    if (reader === undefined || !Object.hasOwn(this.#record, reader.json)) return undefined;
    const json = this.#record[reader.json];
    // Null counts as absent.
    return json === undefined || json === null ? undefined : reader.adapt(json);
  }
  fields(): readonly string[] {
    return [...this.#fields.keys()].filter((field) => this.find(field) !== undefined);
  }
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** JSON of unknown type: whole numbers become ints, others doubles, objects maps. Nothing is copied; lists and maps are read when asked. */
function adaptDyn(json: unknown): CELValue {
  switch (typeof json) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return json;
    case 'number':
      return Number.isInteger(json) && !Object.is(json, -0) ? BigInt(json) : json;
    case 'object':
      if (json === null) return null;
      if (Array.isArray(json)) return new JSONList(json, adaptDyn);
      if (json instanceof JSONFloat) return json.value;
      if (json instanceof Uint8Array) return json;
      return isRecord(json) ? new JSONMap(json, adaptDyn) : null;
    default:
      return null;
  }
}

const adapters = new WeakMap<CELType, Adapt>();

/** The Go type of a decoded JSON value, as messages show it. */
function goTypeOf(json: unknown): string {
  if (Array.isArray(json)) return '[]interface {}';
  if (typeof json === 'number') return Number.isInteger(json) ? 'int64' : 'float64';
  if (typeof json === 'bigint') return 'int64';
  return typeof json === 'boolean' ? 'bool' : typeof json === 'string' ? 'string' : 'map[string]interface {}';
}

/** Null, which expressions see as such; other JSON fails, for functions rely on the types that were checked. */
function nullOrFailure(json: unknown, expected: string): null {
  if (json === null || json === undefined) return null;
  throw new Failure(`invalid data, expected ${expected}`);
}

/** Returns the function that reads JSON of that type. JSON of another shape is an evaluation error. */
function adapterOf(type: CELType): Adapt {
  const known = adapters.get(type);
  if (known !== undefined) return known;
  const made = makeAdapter(type);
  adapters.set(type, made);
  return made;
}

function makeAdapter(type: CELType): Adapt {
  switch (type.kind) {
    case 'bool':
      return (json) => (typeof json === 'boolean' ? json : nullOrFailure(json, `bool, got ${goTypeOf(json)}`));
    case 'string':
      return (json) => (typeof json === 'string' ? json : nullOrFailure(json, `string, got ${goTypeOf(json)}`));
    case 'int':
      return (json) => {
        if (typeof json === 'bigint') return json;
        return typeof json === 'number' && Number.isInteger(json) ? BigInt(json) : nullOrFailure(json, `int, got ${goTypeOf(json)}`);
      };
    case 'double':
      return (json) => {
        if (typeof json === 'number') return json;
        return typeof json === 'bigint' ? Number(json) : nullOrFailure(json, `float, got ${goTypeOf(json)}`);
      };
    case 'uint':
      return (json) => (typeof json === 'number' && json >= 0 && Number.isInteger(json) ? new UintValue(BigInt(json)) : adaptDyn(json));
    case 'bytes':
      return (json) => (typeof json === 'string' ? bytesOfBase64(json) : nullOrFailure(json, `string, got ${goTypeOf(json)}`));
    case 'timestamp':
      return (json) =>
        typeof json === 'string'
          ? new TimestampValue(parseTimestampText(/^\d{4}-\d{2}-\d{2}$/.test(json) ? `${json}T00:00:00Z` : json))
          : nullOrFailure(json, `string, got ${goTypeOf(json)}`);
    case 'duration':
      return (json) =>
        typeof json === 'string' ? new DurationValue(parseDurationText(json)) : nullOrFailure(json, `string, got ${goTypeOf(json)}`);
    case 'list': {
      const element = lazily(() => adapterOf(type.params[0] ?? dynType));
      const { listKind } = type;
      const wrap = (list: ListValue): ListValue => {
        if (listKind === undefined) return list;
        return listKind === 'set' ? new SetList(list) : new MapList(list, listKind);
      };
      return (json) =>
        Array.isArray(json) ? wrap(new JSONList(json, element())) : nullOrFailure(json, 'an array for the provided schema with type=array');
    }
    case 'map': {
      const value = lazily(() => adapterOf(type.params[1] ?? dynType));
      return (json) =>
        isRecord(json) ? new JSONMap(json, value()) : nullOrFailure(json, 'a map for the provided schema with type=object');
    }
    case 'object': {
      if (type.fields === undefined) return adaptDyn;
      const fields = type.fields;
      const ofFields = lazily(
        () => new Map([...fields()].map(([name, field]) => [name, { json: field.json ?? name, adapt: adapterOf(field.type) }])),
      );
      return (json) =>
        isRecord(json) ? new JSONObject(json, type, ofFields()) : nullOrFailure(json, 'a map for the provided schema with type=object');
    }
    default:
      return adaptDyn;
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Reads JSON as a value of that type; for dyn, as the type that the JSON has. */
export function valueOfJSON(json: unknown, type: CELType = dynType): CELValue {
  return adapterOf(type)(json);
}

/** A map with string keys. */
export function mapOf(entries: Iterable<readonly [string, CELValue]>): MapValue {
  return NativeMap.of(entries);
}

/** A map that answers with a default for every key it lacks, to `in` and has() too; its keys and size are those it has. */
export function mapWithDefault(map: MapValue, value: CELValue): MapValue {
  return { kind: 'map', size: map.size, find: (key) => map.find(key) ?? value, keys: () => map.keys() };
}

function bytesOfBase64(text: string): Uint8Array {
  const clean = text.replace(/[-_]/g, (c) => (c === '-' ? '+' : '/'));
  try {
    return Uint8Array.from(atob(clean), (c) => c.charCodeAt(0));
  } catch {
    throw new Failure(`illegal base64 data`);
  }
}
