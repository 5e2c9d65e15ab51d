import { type JSONObject, setOwn } from '../../base/json-object.ts';
import { decodeBase64, encodeBase64 } from '../../base/base64.ts';
import type { PropertySchema, StructuralSchema } from '../../schema/structural-schema.ts';
import { protobufFormats } from './formats.ts';
import { ProtobufError, ProtobufReader, ProtobufWriter, wireType } from './wire.ts';

type NumberedProperty = PropertySchema & { readonly protobuf: NonNullable<PropertySchema['protobuf']> };

interface FieldPlan {
  readonly name: string;
  readonly property: NumberedProperty;
  /** Whether the list is a message of its own: protobuf has no lists of lists, so the items of an inner list are field 1 of a message. */
  readonly isListMessage: boolean;
}

/** Fields of a message by number: a property, or the message of an inlined struct. */
interface MessagePlan {
  readonly fields: Map<number, FieldPlan>;
  readonly inlined: Map<number, MessagePlan>;
  /** Made when first written. */
  inOrder?: readonly PlanEntry[];
}

interface PlanEntry {
  readonly number: number;
  readonly field?: FieldPlan;
  readonly inlined?: MessagePlan;
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
    target.fields.set(property.protobuf.number, {
      name,
      property: { ...property, protobuf: property.protobuf },
      isListMessage: /\.(?:Verbs|ExtraValue)$/.test(property.protobuf.type),
    });
  }
  plans.set(schema, plan);
  return plan;
}

/** Reads a message as a JSON-like object. The caller decodes it by its schema, which adds the zero values. */
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
    else if (field) decodeField(object, field, reader, type);
    else reader.skip(type);
  }
}

function decodeField(object: JSONObject, { name, property, isListMessage }: FieldPlan, reader: ProtobufReader, type: number): void {
  const { schema } = property;
  if (schema.type === 'array') {
    const list = (object[name] ??= []) as unknown[];
    const items = schema.items ?? { type: 'any' };
    if (isListMessage) list.push(...decodeList(reader.message(), items));
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
  const format = schema.format === undefined ? undefined : protobufFormats.get(schema.format);
  if (format) return format.decode(reader.bytes());
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? encodeBase64(reader.bytes()) : reader.text();
    case 'integer':
      return reader.integer();
    case 'boolean':
      return reader.integer() !== 0;
    case 'number':
      return type === wireType.fixed64 ? reader.double() : Number(reader.varint());
    case 'object':
      return decodeStruct(reader.message(), schema);
    default:
      if (schema.format?.startsWith('json-schema-or') === true) return decodeSchemaOr(reader.message(), schema);
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
  if (schema !== undefined) return schema;
  if (format === 'json-schema-or-bool') return allows;
  return list.length > 0 ? list : null;
}

/** Writes an object as a message. Fields without a number, and null, are left out. */
export function encodeMessage(object: Readonly<JSONObject>, schema: StructuralSchema): Uint8Array {
  const writer = new ProtobufWriter();
  writeMessage(writer, object, schema);
  return writer.finish();
}

/** Writes a message, as encodeMessage encodes it, after the content of `writer`. */
export function writeMessage(writer: ProtobufWriter, object: Readonly<JSONObject>, schema: StructuralSchema): void {
  writeFields(writer, object, planOf(schema));
}

function writeFields(writer: ProtobufWriter, object: Readonly<JSONObject>, plan: MessagePlan): void {
  plan.inOrder ??= orderOf(plan);
  for (const { number, inlined, field } of plan.inOrder) {
    if (field) {
      const value = object[field.name];
      if (value !== undefined && value !== null) writeField(writer, number, value, field);
    } else if (inlined) {
      const mark = writer.begin(number);
      writeFields(writer, object, inlined);
      writer.end(mark);
    }
  }
}

function orderOf({ fields, inlined }: MessagePlan): PlanEntry[] {
  const entries: PlanEntry[] = [];
  for (const [number, field] of fields) entries.push({ number, field });
  for (const [number, inner] of inlined) entries.push({ number, inlined: inner });
  return entries.sort((a, b) => a.number - b.number);
}

function writeField(writer: ProtobufWriter, number: number, value: unknown, { property, isListMessage }: FieldPlan): void {
  const { schema } = property;
  if (schema.type === 'array') {
    const items = schema.items ?? { type: 'any' };
    if (isListMessage) writeList(writer, number, value as unknown[], items);
    else for (const item of value as unknown[]) writeValue(writer, number, item, items);
  } else if (schema.additionalProperties) {
    const values = schema.additionalProperties;
    for (const [key, item] of Object.entries(value as JSONObject)) {
      const mark = writer.begin(number);
      writer.text(1, key);
      // an entry without a value is null, unlike the empty text or list
      if (item !== null) {
        if (values.type === 'array') writeList(writer, 2, item as unknown[], values.items ?? { type: 'any' });
        else writeValue(writer, 2, item, values);
      }
      writer.end(mark);
    }
  } else writeValue(writer, number, value, schema);
}

function writeList(writer: ProtobufWriter, number: number, items: readonly unknown[], schema: StructuralSchema): void {
  const mark = writer.begin(number);
  for (const item of items) writeValue(writer, 1, item, schema);
  writer.end(mark);
}

function writeValue(writer: ProtobufWriter, number: number, value: unknown, schema: StructuralSchema): void {
  const format = schema.format === undefined ? undefined : protobufFormats.get(schema.format);
  if (format) {
    const mark = writer.begin(number);
    if (value !== null) format.write(value, writer);
    writer.end(mark);
    return;
  }
  switch (schema.type) {
    case 'string':
      if (schema.format === 'byte') writer.bytes(number, decodeBase64(String(value ?? '')));
      else writer.text(number, String(value ?? ''));
      return;
    case 'integer':
      writer.varint(number, (value ?? 0) as number | bigint);
      return;
    case 'boolean':
      writer.varint(number, value === true ? 1 : 0);
      return;
    case 'number':
      writer.double(number, Number(value));
      return;
    case 'object': {
      const mark = writer.begin(number);
      writeFields(writer, (value ?? {}) as JSONObject, planOf(schema));
      writer.end(mark);
      return;
    }
    default:
      if (schema.format?.startsWith('json-schema-or') !== true)
        throw new ProtobufError(`${schema.name ?? schema.type} has no protobuf form`);
      writeSchemaOr(writer, number, value, schema);
  }
}

function writeSchemaOr(
  writer: ProtobufWriter,
  number: number,
  value: unknown,
  { format, items = { type: 'any' } }: StructuralSchema,
): void {
  const mark = writer.begin(number);
  const isSchema = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (format === 'json-schema-or-bool') writer.varint(1, isSchema || value === true ? 1 : 0);
  if (isSchema) writeValue(writer, format === 'json-schema-or-bool' ? 2 : 1, value, items);
  if (Array.isArray(value)) {
    for (const item of value) {
      if (format === 'json-schema-or-string-array') writer.text(2, String(item));
      else writeValue(writer, 2, item, items);
    }
  }
  writer.end(mark);
}
