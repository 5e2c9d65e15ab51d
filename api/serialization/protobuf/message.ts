import { type JSONObject, setOwn } from '../../base/json-object.ts';
import { decodeBase64, encodeBase64 } from '../../base/base64.ts';
import type { PropertySchema, StructuralSchema } from '../../schema/structural-schema.ts';
import { protobufFormats } from './formats.ts';
import { ProtobufError, ProtobufReader, ProtobufWriter, wireType } from './wire.ts';

type NumberedProperty = PropertySchema & { readonly protobuf: NonNullable<PropertySchema['protobuf']> };

/** Fields of a message by number: a property, or the message of an inlined struct. */
interface MessagePlan {
  readonly fields: Map<number, { readonly name: string; readonly property: NumberedProperty }>;
  readonly inlined: Map<number, MessagePlan>;
}

const plans = new WeakMap<StructuralSchema, MessagePlan>();

function planOf(schema: StructuralSchema): MessagePlan {
  const known = plans.get(schema);
  if (known) return known;
  const plan: MessagePlan = { fields: new Map(), inlined: new Map() };
  for (const [name, property] of schema.properties ?? []) {
    if (!property.protobuf) continue;
    let target = plan;
    for (const parent of property.protobuf.parent ?? []) {
      const inner = target.inlined.get(parent) ?? { fields: new Map(), inlined: new Map() };
      target.inlined.set(parent, inner);
      target = inner;
    }
    target.fields.set(property.protobuf.number, { name, property: { ...property, protobuf: property.protobuf } });
  }
  plans.set(schema, plan);
  return plan;
}

/** Lists that are messages of their own, since protobuf has no list of lists: their items are field 1. */
function isListMessage(property: NumberedProperty): boolean {
  return /\.(?:Verbs|ExtraValue)$/.test(property.protobuf.type);
}

/** Reads a message as a JSON-like object; the caller decodes that by its schema, which adds what was zero. */
export function decodeMessage(message: Uint8Array, schema: StructuralSchema): JSONObject {
  return decodeStruct(new ProtobufReader(message), schema);
}

function decodeStruct(reader: ProtobufReader, schema: StructuralSchema): JSONObject {
  const object: JSONObject = {};
  decodeInto(object, reader, planOf(schema));
  return object;
}

function decodeInto(object: JSONObject, reader: ProtobufReader, plan: MessagePlan): void {
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    const inlined = plan.inlined.get(number);
    const field = plan.fields.get(number);
    if (inlined) decodeInto(object, reader.message(), inlined);
    else if (field) decodeField(object, field.name, field.property, reader, type);
    else reader.skip(type);
  }
}

function decodeField(object: JSONObject, name: string, property: NumberedProperty, reader: ProtobufReader, type: number): void {
  const { schema } = property;
  if (schema.type === 'array') {
    const list = (object[name] ??= []) as unknown[];
    const items = schema.items ?? { type: 'any' };
    if (isListMessage(property)) list.push(...decodeList(reader.message(), items));
    else if (type === wireType.bytes && (items.type === 'integer' || items.type === 'boolean' || items.type === 'number'))
      list.push(...decodePacked(reader.message(), items));
    else list.push(decodeValue(reader, type, items));
  } else if (schema.additionalProperties) {
    const map = (object[name] ??= {}) as JSONObject;
    decodeEntry(map, reader.message(), schema.additionalProperties);
  } else object[name] = decodeValue(reader, type, schema);
}

function decodePacked(reader: ProtobufReader, items: StructuralSchema): unknown[] {
  const values: unknown[] = [];
  while (!reader.isAtEnd) values.push(decodeValue(reader, items.type === 'number' ? wireType.fixed64 : wireType.varint, items));
  return values;
}

function decodeList(reader: ProtobufReader, items: StructuralSchema): unknown[] {
  const list: unknown[] = [];
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (number === 1) list.push(decodeValue(reader, type, items));
    else reader.skip(type);
  }
  return list;
}

function decodeEntry(map: JSONObject, reader: ProtobufReader, values: StructuralSchema): void {
  let key = '';
  let value: unknown = null;
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (number === 1) key = reader.text();
    else if (number === 2)
      value = values.type === 'array' ? decodeList(reader.message(), values.items ?? { type: 'any' }) : decodeValue(reader, type, values);
    else reader.skip(type);
  }
  setOwn(map, key, value);
}

function decodeValue(reader: ProtobufReader, type: number, schema: StructuralSchema): unknown {
  const format = protobufFormats.get(schema.format ?? '');
  if (format) return format.decode(reader.bytes());
  if (schema.format?.startsWith('json-schema-or') === true) return decodeSchemaOr(reader.message(), schema);
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? encodeBase64(reader.bytes()) : reader.text();
    case 'integer': {
      const value = BigInt.asIntN(64, reader.varint());
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    case 'boolean':
      return reader.varint() !== 0n;
    case 'number':
      return type === wireType.fixed64 ? reader.double() : Number(reader.varint());
    case 'object':
      return decodeStruct(reader.message(), schema);
    default:
      throw new ProtobufError(`${schema.name ?? schema.type} has no protobuf form`);
  }
}

/** A schema within a CRD's schema that may be something else: OrBool has {allows, schema}, the others {schema, list}. */
function decodeSchemaOr(reader: ProtobufReader, { format, items = { type: 'any' } }: StructuralSchema): unknown {
  const schemaField = format === 'json-schema-or-bool' ? 2 : 1;
  let allows = false;
  let schema: unknown;
  const list: unknown[] = [];
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (number === schemaField) schema = decodeStruct(reader.message(), items);
    else if (number === 1) allows = reader.varint() !== 0n;
    else if (number === 2) list.push(format === 'json-schema-or-string-array' ? reader.text() : decodeStruct(reader.message(), items));
    else reader.skip(type);
  }
  return schema ?? (format === 'json-schema-or-bool' ? allows : list);
}

/** Writes an object as a message. Fields without a number, and null, are left out. */
export function encodeMessage(object: Readonly<JSONObject>, schema: StructuralSchema): Uint8Array {
  return encodePlan(object, planOf(schema));
}

function encodePlan(object: Readonly<JSONObject>, plan: MessagePlan): Uint8Array {
  const writer = new ProtobufWriter();
  const numbers = [...plan.fields.keys(), ...plan.inlined.keys()].sort((a, b) => a - b);
  for (const number of numbers) {
    const inlined = plan.inlined.get(number);
    const field = plan.fields.get(number);
    if (inlined) {
      const inner = encodePlan(object, inlined);
      if (inner.length > 0) writer.bytes(number, inner);
    } else if (field) encodeField(writer, number, object[field.name], field.property);
  }
  return writer.finish();
}

function encodeField(writer: ProtobufWriter, number: number, value: unknown, property: NumberedProperty): void {
  if (value === undefined || value === null) return;
  const { schema } = property;
  if (schema.type === 'array') {
    const items = schema.items ?? { type: 'any' };
    if (isListMessage(property)) writer.bytes(number, encodeList(value as unknown[], items));
    else for (const item of value as unknown[]) encodeValue(writer, number, item, items);
  } else if (schema.additionalProperties) {
    for (const [key, item] of Object.entries(value as JSONObject)) {
      const entry = new ProtobufWriter();
      entry.text(1, key);
      if (schema.additionalProperties.type === 'array')
        entry.bytes(2, encodeList(item as unknown[], schema.additionalProperties.items ?? { type: 'any' }));
      else encodeValue(entry, 2, item, schema.additionalProperties);
      writer.bytes(number, entry.finish());
    }
  } else encodeValue(writer, number, value, schema);
}

function encodeList(items: readonly unknown[], schema: StructuralSchema): Uint8Array {
  const writer = new ProtobufWriter();
  for (const item of items) encodeValue(writer, 1, item, schema);
  return writer.finish();
}

function encodeValue(writer: ProtobufWriter, number: number, value: unknown, schema: StructuralSchema): void {
  const format = protobufFormats.get(schema.format ?? '');
  if (format) {
    writer.bytes(number, value === null ? new Uint8Array() : format.encode(value));
    return;
  }
  if (schema.format?.startsWith('json-schema-or') === true) {
    writer.bytes(number, encodeSchemaOr(value, schema));
    return;
  }
  switch (schema.type) {
    case 'string':
      if (schema.format === 'byte') writer.bytes(number, decodeBase64(String(value)));
      else writer.text(number, String(value));
      return;
    case 'integer':
      writer.varint(number, value as number | bigint);
      return;
    case 'boolean':
      writer.varint(number, value === true ? 1 : 0);
      return;
    case 'number':
      writer.double(number, Number(value));
      return;
    case 'object':
      writer.bytes(number, encodeMessage(value as JSONObject, schema));
      return;
    default:
      throw new ProtobufError(`${schema.name ?? schema.type} has no protobuf form`);
  }
}

function encodeSchemaOr(value: unknown, { format, items = { type: 'any' } }: StructuralSchema): Uint8Array {
  const writer = new ProtobufWriter();
  const isSchema = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (format === 'json-schema-or-bool') writer.varint(1, isSchema || value === true ? 1 : 0);
  if (isSchema) writer.bytes(format === 'json-schema-or-bool' ? 2 : 1, encodeMessage(value as JSONObject, items));
  if (Array.isArray(value)) {
    for (const item of value) {
      if (format === 'json-schema-or-string-array') writer.text(2, String(item));
      else writer.bytes(2, encodeMessage(item as JSONObject, items));
    }
  }
  return writer.finish();
}
