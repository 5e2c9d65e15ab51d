import { formatMicroTime, formatTime, parseMicroTime, parseTime } from '../../meta/time.ts';
import { parseJSON, stringifyJSON } from '../json.ts';
import { ProtobufError, ProtobufReader, type ProtobufWriter } from './wire.ts';

/** The protobuf message of a type that is not a plain struct (quantities, times). */
interface ProtobufFormat {
  decode(message: Uint8Array): unknown;
  /** Writes the fields of the message. */
  write(value: unknown, writer: ProtobufWriter): void;
}

interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

function* fieldsOf(message: Uint8Array): Iterable<Field> {
  const reader = new ProtobufReader(message);
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (type === 0) yield { number, value: reader.varint() };
    else if (type === 2) yield { number, value: reader.bytes() };
    else reader.skip(type);
  }
}

const textOf = (value: bigint | Uint8Array) => (typeof value === 'bigint' ? String(value) : new TextDecoder().decode(value));
const signed = (value: bigint | Uint8Array) => (typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0);

/** An empty message is Go's zero time, which is null in JSON. */
function timeFormat(format: (ms: number) => string, parse: (text: string) => number): ProtobufFormat {
  return {
    decode(message) {
      if (message.length === 0) return null;
      let seconds = 0;
      let nanos = 0;
      for (const { number, value } of fieldsOf(message)) {
        if (number === 1) seconds = signed(value);
        else if (number === 2) nanos = signed(value);
      }
      return format(seconds * 1000 + nanos / 1_000_000);
    },
    write(value, writer) {
      const micros = Math.round(parse(String(value)) * 1000);
      const seconds = Math.floor(micros / 1_000_000);
      writer.varint(1, seconds);
      writer.varint(2, (micros - seconds * 1_000_000) * 1000);
    },
  };
}

const quantity: ProtobufFormat = {
  decode(message) {
    for (const { number, value } of fieldsOf(message)) if (number === 1) return textOf(value);
    return '0';
  },
  write: (value, writer) => writer.text(1, String(value)),
};

const intOrString: ProtobufFormat = {
  decode(message) {
    let isText = false;
    let int = 0;
    let text = '';
    for (const { number, value } of fieldsOf(message)) {
      if (number === 1) isText = value === 1n;
      else if (number === 2) int = signed(value);
      else if (number === 3) text = textOf(value);
    }
    return isText ? text : int;
  },
  write(value, writer) {
    writer.varint(1, typeof value === 'string' ? 1 : 0);
    writer.varint(2, typeof value === 'string' ? 0 : Number(value));
    writer.text(3, typeof value === 'string' ? value : '');
  },
};

/** JSON as bytes in field 1. */
const raw: ProtobufFormat = {
  decode(message) {
    for (const { number, value } of fieldsOf(message)) {
      if (number !== 1 || typeof value === 'bigint') continue;
      if (value.length === 0) return null;
      if (isEnvelope(value)) throw new ProtobufError('an object in protobuf within an object is not supported');
      return parseJSON(value).value;
    }
    return null;
  },
  write: (value, writer) => (value === null ? undefined : writer.bytes(1, stringifyJSON(value))),
};

/** Whether the bytes begin as upstream's protobuf values do. */
export function isEnvelope(bytes: Uint8Array): boolean {
  return bytes[0] === 0x6b && bytes[1] === 0x38 && bytes[2] === 0x73 && bytes[3] === 0;
}

export const protobufFormats: ReadonlyMap<string, ProtobufFormat> = new Map([
  ['date-time', timeFormat(formatTime, parseTime)],
  ['micro-time', timeFormat(formatMicroTime, parseMicroTime)],
  ['quantity', quantity],
  ['int-or-string', intOrString],
  ['raw-extension', raw],
  ['fields-v1', raw],
  ['json', raw],
]);
