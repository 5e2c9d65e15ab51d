import { ProtobufWriter } from '../protobuf/wire.ts';
import { formatYAML } from '../yaml.ts';

/** The common part of the protobuf forms of OpenAPI v2 and v3 (gnostic): JSON with named positions of its fields. */

type JSONObject = Readonly<Record<string, unknown>>;
export type WriteValue = (writer: ProtobufWriter, number: number, value: unknown) => void;

/** The field numbers of a JSON object's members in a message. Names that begin with `x-` go into `extensions`. */
export interface MessageLayout {
  readonly fields: Readonly<Record<string, readonly [number: number, write: WriteValue]>>;
  readonly extensions?: number;
}

export const text: WriteValue = (writer, number, value) => writer.text(number, String(value));
export const flag: WriteValue = (writer, number, value) => value === true && writer.varint(number, 1);
export const integer: WriteValue = (writer, number, value) => writer.varint(number, Number(value));
export const double: WriteValue = (writer, number, value) => writer.double(number, Number(value));

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Free values travel as the text of a YAML document. */
export const anything: WriteValue = (writer, number, value) => within(writer, number, () => writer.text(2, formatYAML(value)));

export const each =
  (write: WriteValue): WriteValue =>
  (writer, number, value) => {
    for (const item of listOf(value)) write(writer, number, item);
  };

/** A map, as a message that holds pairs of a name and a value. */
export const mapOf =
  (write: WriteValue, pairs = 1): WriteValue =>
  (writer, number, value) =>
    within(writer, number, () => {
      for (const [name, entry] of Object.entries(isObject(value) ? value : {})) writePair(writer, pairs, name, entry, write);
    });

/** Writes a value inside a message, as the field of that number. */
export const inside =
  (field: number, write: WriteValue): WriteValue =>
  (writer, number, value) =>
    within(writer, number, () => write(writer, field, value));

export const message =
  (layout: () => MessageLayout): WriteValue =>
  (writer, number, value) =>
    within(writer, number, () => writeFields(writer, layout(), isObject(value) ? value : {}));

export function within(writer: ProtobufWriter, number: number, write: () => void): void {
  const mark = writer.begin(number);
  write();
  writer.end(mark);
}

function writePair(writer: ProtobufWriter, number: number, name: string, value: unknown, write: WriteValue): void {
  within(writer, number, () => {
    writer.text(1, name);
    write(writer, 2, value);
  });
}

/** Fields follow each other by their numbers, extensions by their names, as Go writes them. */
function writeFields(writer: ProtobufWriter, { fields, extensions }: MessageLayout, value: JSONObject): void {
  const placed = Object.entries(value).map(([name, field]): { readonly number: number; write(): void } => {
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (known) return { number: known[0], write: () => known[1](writer, known[0], field) };
    if (extensions !== undefined && name.startsWith('x-')) {
      return { number: extensions, write: () => writePair(writer, extensions, name, field, anything) };
    }
    throw new Error(`an OpenAPI document has a field ${name} that has no place in its protobuf format`);
  });
  for (const { write } of placed.sort((a, b) => a.number - b.number)) write();
}

/** A whole document. */
export function encodeDocument(layout: MessageLayout, json: Uint8Array): Uint8Array {
  const document: unknown = JSON.parse(new TextDecoder().decode(json));
  const writer = new ProtobufWriter();
  writeFields(writer, layout, isObject(document) ? document : {});
  return writer.finish();
}
