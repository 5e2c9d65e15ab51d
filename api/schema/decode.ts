import { JSONFloat } from '../base/json-float.ts';
import { isJSONObject, type JSONObject, setOwn } from '../base/json-object.ts';
import { DecodeError } from './decode-error.ts';
import { type Decoded, maxUnknownFields } from './decoded.ts';
import { decodeBase64Text, decodedFormats, decodeFormat, decodeInteger, describeJSON } from './decode-scalar.ts';
import type { PropertySchema, StructuralSchema } from './structural-schema.ts';
import { decodeUnstructured } from './unstructured/decode-unstructured.ts';
import { convertInteger, describeUnstructuredMismatch } from './unstructured-mismatch.ts';

/**
 * The Go code whose error messages are used: the JSON decoder, or the reflection over maps that reads the result of a strategic merge
 * patch.
 */
export type Reader = 'json' | 'unstructured';

/** The decoder's position in the value, for messages. */
class Position {
  readonly unknownFields = new Set<string>();
  readonly reader: Reader;
  readonly #steps: (string | number)[] = [];
  readonly #isField: boolean[] = [];
  #struct = '';
  /** True inside a value whose Go type has its own UnmarshalJSON, which drops unknown fields without an error. */
  silent = false;
  /** Fields of the structs under way, each above those of the struct around it. */
  readonly present: Place[] = [];
  readonly fields: unknown[] = [];
  fieldCount = 0;

  constructor(reader: Reader) {
    this.reader = reader;
  }

  enterField(name: string, struct: string): string {
    const outer = this.#struct;
    this.#steps.push(name);
    this.#isField.push(true);
    this.#struct = struct;
    return outer;
  }

  leaveField(outerStruct: string): void {
    this.leave();
    this.#struct = outerStruct;
  }

  enter(step: string | number): void {
    this.#steps.push(step);
    this.#isField.push(false);
  }

  leave(): void {
    this.#steps.pop();
    this.#isField.pop();
  }

  addUnknown(name: string): void {
    if (this.silent || this.unknownFields.size >= maxUnknownFields) return;
    let path = '';
    for (const step of [...this.#steps, name]) path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
    this.unknownFields.add(path);
  }

  mismatch(value: unknown, schema: StructuralSchema, fallbackType: string, found?: string): DecodeError {
    if (this.reader === 'unstructured') return new DecodeError(describeUnstructuredMismatch(value, schema));
    return this.ofGoType(value, schema.goType ?? fallbackType, found);
  }

  /**
   * Go's message names the innermost struct and the path of fields above the value, without list indexes and map keys. A Go type with its
   * own UnmarshalJSON knows neither.
   */
  ofGoType(value: unknown, goType: string, found = value === null ? 'null' : describeJSON(value)): DecodeError {
    const fields = this.#steps.filter((_, index) => this.#isField[index] === true);
    const isKnown = this.#struct !== '' && this.reader === 'json';
    const where = isKnown ? `Go struct field ${this.#struct}.${fields.join('.')}` : 'Go value';
    return new DecodeError(`json: cannot unmarshal ${found} into ${where} of type ${goType}`);
  }
}

/**
 * Decodes a parsed JSON value as Go decodes and encodes the type upstream: fields out of the schema are dropped and
 * reported, names are case-sensitive, null counts as absent, values are checked and brought into canonical form, fields
 * are in a fixed order, and what Go always writes is there (structs as {}, times as null, ...). One difference: a
 * required list or map that is absent becomes empty instead of null, so that code may rely on it. The result shares no
 * structure with `value` except below values of type 'any'. Throws DecodeError with Go's message.
 */
export function decode(value: unknown, schema: StructuralSchema, reader: Reader = 'json'): Decoded {
  if (schema.isUnstructured) return decodeUnstructured(value, schema, decode);
  const position = new Position(reader);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw position.mismatch(value, schema, 'object');
  const object = decodeObject(value as JSONObject, schema, position);
  return { object, unknownFields: [...position.unknownFields] };
}

function decodeValue(value: unknown, schema: StructuralSchema, position: Position): unknown {
  if (value === null) return zeroOf(schema, position);
  switch (schema.type) {
    case 'object':
      if (!isJSONObject(value) || value instanceof JSONFloat) throw position.mismatch(value, schema, 'object');
      return decodeObject(value, schema, position);
    case 'array':
      if (!Array.isArray(value)) throw position.mismatch(value, schema, '[]interface {}');
      return decodeList(value, schema.items, position);
    case 'string':
      return decodeString(value, schema, position);
    case 'integer':
      return decodeNumber(value, decodeInteger(value, schema.format), schema, position);
    case 'number':
      return decodeNumber(value, toDouble(value), schema, position);
    case 'boolean':
      if (typeof value !== 'boolean') throw position.mismatch(value, schema, 'bool');
      return value;
    case 'any':
      return decodeAny(value, schema, position);
  }
}

function toDouble(value: unknown): number | undefined {
  if (value instanceof JSONFloat) return value.value;
  return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined;
}

function decodeNumber(value: unknown, decoded: number | bigint | undefined, schema: StructuralSchema, position: Position): number | bigint {
  if (decoded !== undefined) return decoded;
  const converted = position.reader === 'unstructured' && schema.type === 'integer' ? convertInteger(value, schema.format) : undefined;
  if (converted !== undefined) return converted;
  const digits = value instanceof JSONFloat ? value.literal : typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
  throw position.mismatch(value, schema, schema.format ?? 'int64', digits === '' ? undefined : `number ${digits}`);
}

function decodeString(value: unknown, schema: StructuralSchema, position: Position): unknown {
  if (decodedFormats.has(schema.format))
    return decodeFormat(value, schema, (found, goType, shown) => position.ofGoType(found, goType, shown));
  if (typeof value !== 'string') throw position.mismatch(value, schema, 'string');
  if (schema.format !== 'byte') return value;
  try {
    return decodeBase64Text(value);
  } catch (error) {
    if (position.reader === 'unstructured' && error instanceof DecodeError)
      throw new DecodeError(`error decoding from json: ${error.message}`);
    throw error;
  }
}

function decodeList(value: readonly unknown[], items: StructuralSchema | undefined, position: Position): unknown[] {
  if (!items) return [...value];
  const list: unknown[] = [];
  for (let index = 0; index < value.length; index++) {
    position.enter(index);
    list.push(decodeValue(value[index], items, position));
    position.leave();
  }
  return list;
}

function decodeObject(value: JSONObject, schema: StructuralSchema, position: Position): JSONObject {
  if (schema.properties) return decodeStruct(value, schema, schema.properties, position);
  if (!schema.additionalProperties) return plain(value) as JSONObject;
  const map: JSONObject = {};
  const values = schema.additionalProperties;
  for (const key of sortedKeys(value)) {
    position.enter(key);
    setOwn(map, key, decodeValue(value[key], values, position));
    position.leave();
  }
  return map;
}

/** Go writes maps in the order of their keys' bytes, which is that of their code points. */
function sortedKeys(value: JSONObject): string[] {
  const keys = Object.keys(value);
  for (let index = 1; index < keys.length; index++) {
    if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.sort();
  }
  return keys;
}

/** The place and the schema of a field. */
interface Place {
  readonly at: number;
  readonly name: string;
  readonly property: PropertySchema;
}

interface StructPlan {
  readonly places: ReadonlyMap<string, Place>;
  /** Fields that are written though they are absent. */
  readonly always: readonly Place[];
}

const plans = new WeakMap<ReadonlyMap<string, PropertySchema>, StructPlan>();

function planOf(properties: ReadonlyMap<string, PropertySchema>): StructPlan {
  const known = plans.get(properties);
  if (known) return known;
  const places = new Map<string, Place>();
  for (const [name, property] of properties) places.set(name, { at: places.size, name, property });
  const plan = { places, always: [...places.values()].filter(({ property }) => isAlwaysWritten(property)) };
  plans.set(properties, plan);
  return plan;
}

/** A struct has dozens of fields of which few are there: only those, and those that are always written, are looked at. */
function decodeStruct(
  value: JSONObject,
  schema: StructuralSchema,
  properties: ReadonlyMap<string, PropertySchema>,
  position: Position,
): JSONObject {
  const struct = shortName(schema);
  const { places, always } = planOf(properties);
  const { present, fields } = position;
  const base = position.fieldCount;
  let unknown: Map<string, unknown> | undefined;
  let last = -1;
  let isInOrder = true;
  // Visits the fields in the document's order, so that the first error is the one that Go reports first.
  for (const key in value) {
    const place = places.get(key);
    if (!place) {
      if (schema.preserveUnknownFields === true) (unknown ??= new Map()).set(key, plain(value[key]));
      else position.addUnknown(key);
      continue;
    }
    if (value[key] === null) continue;
    const outer = position.enterField(key, struct);
    const field = decodeValue(value[key], place.property.schema, position);
    position.leaveField(outer);
    if (field === undefined) continue;
    if (place.at < last) isInOrder = false;
    last = place.at;
    const at = position.fieldCount++;
    present[at] = place;
    fields[at] = field;
  }
  const end = position.fieldCount;
  position.fieldCount = base;
  if (!isInOrder) sortTogether(present, fields, base, end);
  const object: JSONObject = {};
  let next = 0;
  for (let index = base; index < end; index++) {
    const place = present[index];
    if (!place) continue;
    for (; (always[next]?.at ?? Number.POSITIVE_INFINITY) < place.at; next++) writeZero(object, always[next], position);
    if (always[next] === place) next++;
    if (!isLeftOut(fields[index], place.property)) setOwn(object, place.name, asStored(fields[index], place.property));
  }
  for (; next < always.length; next++) writeZero(object, always[next], position);
  if (unknown) for (const [key, field] of unknown) setOwn(object, key, field);
  return object;
}

function writeZero(object: JSONObject, place: Place | undefined, position: Position): void {
  const zero = place && zeroOfField(place.property, position);
  if (place && zero !== undefined) setOwn(object, place.name, zero);
}

/** Mostly few are out of place. */
function sortTogether(places: Place[], fields: unknown[], start: number, end: number): void {
  for (let index = start + 1; index < end; index++) {
    const [place, field] = [places[index], fields[index]];
    if (!place) continue;
    let to = index;
    for (; to > start && (places[to - 1]?.at ?? 0) > place.at; to--) [places[to], fields[to]] = [places[to - 1] ?? place, fields[to - 1]];
    [places[to], fields[to]] = [place, field];
  }
}

const shortNames = new WeakMap<StructuralSchema, string>();

function shortName(schema: StructuralSchema): string {
  let name = shortNames.get(schema);
  if (name === undefined) {
    name = schema.name?.slice(schema.name.lastIndexOf('.') + 1) ?? '';
    shortNames.set(schema, name);
  }
  return name;
}

function asStored(value: unknown, { nullWhenEmpty }: PropertySchema): unknown {
  return nullWhenEmpty === true && Array.isArray(value) && value.length === 0 ? null : value;
}

/** Whether Go's omitempty leaves out a value that is there. */
function isLeftOut(value: unknown, property: PropertySchema): boolean {
  if (!property.omitEmpty || property.pointer) return false;
  if (value === '') return !decodedFormats.has(property.schema.format);
  if (value === 0 || value === false) return !decodedFormats.has(property.schema.format);
  if (typeof value !== 'object' || value === null || property.schema.type === 'any') return false;
  if (Array.isArray(value)) return value.length === 0;
  return property.schema.additionalProperties !== undefined && Object.keys(value).length === 0;
}

function isStruct(schema: StructuralSchema): boolean {
  return schema.properties !== undefined || decodedFormats.has(schema.format) || schema.format === 'raw-extension';
}

function isAlwaysWritten(property: PropertySchema): boolean {
  if (property.pointer) return !property.omitEmpty && !property.required;
  if (property.omitZero === true) return false;
  return !property.omitEmpty || isStruct(property.schema);
}

/** Go's zero value for a field that was never set. */
function zeroOfField(property: PropertySchema, position: Position): unknown {
  const { schema } = property;
  if (property.pointer) return null;
  if (schema.type === 'array' || schema.additionalProperties || schema.format === 'byte') {
    if (!property.required || property.nullWhenEmpty === true) return null;
    return schema.type === 'array' ? [] : schema.additionalProperties ? {} : null;
  }
  return zeroOf(schema, position);
}

/** The JSON form of Go's zero value of a type. It replaces null inside lists and maps. */
function zeroOf(schema: StructuralSchema, position: Position): unknown {
  switch (schema.type) {
    case 'object':
      return schema.properties ? decodeStruct({}, schema, schema.properties, position) : null;
    case 'string':
      if (schema.format === 'quantity') return '0';
      if (schema.format === 'int-or-string') return 0;
      return schema.format === 'date-time' || schema.format === 'micro-time' || schema.format === 'byte' ? null : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

/**
 * Decodes a value of any shape: it is kept as it is. The fields of a CRD's schema that hold a schema or something else
 * (JSONSchemaPropsOrBool and the like) are decoded.
 */
function decodeAny(value: unknown, schema: StructuralSchema, position: Position): unknown {
  if (!schema.items || typeof value !== 'object' || value === null || value instanceof JSONFloat) return plain(value);
  const outer = position.silent;
  position.silent = true;
  const isPlainList = schema.format === 'json-schema-or-string-array' && Array.isArray(value);
  const decoded = isPlainList
    ? plain(value)
    : Array.isArray(value)
      ? decodeList(value, schema.items, position)
      : decodeObject(value as JSONObject, schema.items, position);
  position.silent = outer;
  return decoded;
}

/** The value with plain numbers only; the value itself where it has no others, as is nearly always so. */
function plain(value: unknown): unknown {
  return hasFloat(value) ? withoutFloats(value) : value;
}

function hasFloat(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof JSONFloat) return true;
  if (Array.isArray(value)) return value.some(hasFloat);
  const object = value as JSONObject;
  for (const key in object) if (hasFloat(object[key])) return true;
  return false;
}

function withoutFloats(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof JSONFloat) return value.value;
  if (Array.isArray(value)) return value.map(withoutFloats);
  const object = value as JSONObject;
  const copy: JSONObject = {};
  for (const key of Object.keys(object)) setOwn(copy, key, withoutFloats(object[key]));
  return copy;
}
