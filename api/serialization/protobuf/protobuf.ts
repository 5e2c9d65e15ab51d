import { decode } from '../../schema/decode.ts';
import { findKindSchema } from '../../schema/definition-schema.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import { isEnvelope } from './formats.ts';
import { decodeMessage, writeMessage } from './message.ts';
import { ProtobufError, ProtobufReader, ProtobufWriter, tagWithLength } from './wire.ts';

/**
 * application/vnd.kubernetes.protobuf: `k8s\0` and a runtime.Unknown message, which names the kind and carries the object's
 * message. Only built-in kinds have a protobuf form.
 */
interface ProtobufEnvelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** The object's message, or data of the type that contentType names. */
  readonly raw: Uint8Array;
  readonly contentEncoding: string;
  /** '' for a protobuf message. */
  readonly contentType: string;
}

/** Opens the envelope. Throws ProtobufError. */
export function readEnvelope(bytes: Uint8Array): ProtobufEnvelope {
  if (bytes.length === 0) throw new ProtobufError('empty data');
  if (!isEnvelope(bytes)) throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const reader = new ProtobufReader(bytes.subarray(4));
  const envelope = { apiVersion: '', kind: '', raw: new Uint8Array() as Uint8Array, contentEncoding: '', contentType: '' };
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (number === 1) Object.assign(envelope, readTypeMeta(reader.bytes()));
    else if (number === 2) envelope.raw = reader.bytes();
    else if (number === 3) envelope.contentEncoding = reader.text();
    else if (number === 4) envelope.contentType = reader.text();
    else reader.skip(type);
  }
  return envelope;
}

function readTypeMeta(message: Uint8Array): { apiVersion: string; kind: string } {
  const reader = new ProtobufReader(message);
  const meta = { apiVersion: '', kind: '' };
  while (!reader.isAtEnd) {
    const { number, type } = reader.tag();
    if (number === 1) meta.apiVersion = reader.text();
    else if (number === 2) meta.kind = reader.text();
    else reader.skip(type);
  }
  return meta;
}

/**
 * Reads an object of a built-in kind, in the form that decode gives it. It may have another apiVersion if the message is known to be the
 * same there. Throws ProtobufError.
 */
export function decodeProtobuf(bytes: Uint8Array, readAs?: string): Record<string, unknown> {
  const { apiVersion: written, kind, raw, contentType, contentEncoding } = readEnvelope(bytes);
  const apiVersion = readAs ?? written;
  if (contentType !== '' || contentEncoding !== '') throw new ProtobufError(`the object is in ${contentType} ${contentEncoding}`.trim());
  const schema = findKindSchema(apiVersion, kind);
  if (!schema) throw new ProtobufError(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
  return decode({ ...decodeMessage(raw, schema), kind, apiVersion }, schema).object;
}

/** Writes an object of a built-in kind, which has apiVersion and kind. Throws ProtobufError for other kinds. */
export function encodeProtobuf(
  object: Readonly<Partial<TypeMeta>>,
  schema: StructuralSchema | undefined = findKindSchema(object.apiVersion ?? '', object.kind ?? ''),
): Uint8Array {
  if (!schema) throw new ProtobufError(`${object.apiVersion ?? ''} ${object.kind ?? ''} has no protobuf form`);
  const writer = beginEnvelope(object);
  const mark = writer.begin(2);
  writeMessage(writer, object as unknown as Record<string, unknown>, schema);
  writer.end(mark);
  return endEnvelope(writer);
}

const prefix = Uint8Array.of(0x6b, 0x38, 0x73, 0);

interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

function beginEnvelope({ apiVersion = '', kind = '' }: Readonly<Partial<TypeMeta>>): ProtobufWriter {
  const writer = new ProtobufWriter(prefix);
  const mark = writer.begin(1);
  writer.text(1, apiVersion);
  writer.text(2, kind);
  writer.end(mark);
  return writer;
}

function endEnvelope(writer: ProtobufWriter): Uint8Array {
  writer.text(3, '');
  writer.text(4, '');
  return writer.finish();
}

/** The bytes before an object's message of that size; envelopeEnd follows it. */
export function openEnvelope(kind: TypeMeta, size: number): Uint8Array {
  const head = beginEnvelope(kind).finish();
  const length = tagWithLength(2, size);
  const opening = new Uint8Array(head.length + length.length);
  opening.set(head);
  opening.set(length, head.length);
  return opening;
}

export const envelopeEnd: Uint8Array = endEnvelope(new ProtobufWriter());
