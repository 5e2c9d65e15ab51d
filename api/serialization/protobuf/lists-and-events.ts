import type { WatchEvent } from '../../types/meta-v1.ts';
import { getDefinitionSchema } from '../../schema/definition-schema.ts';
import { encodeMessage } from './message.ts';
import { readEnvelope, writeEnvelope } from './protobuf.ts';
import { ProtobufWriter } from './wire.ts';

interface ListHead {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A list made of objects that are encoded already; every list of Kubernetes has its metadata as field 1 and its items as field 2. */
export function joinProtobufList(head: ListHead, items: Iterable<Uint8Array>): Uint8Array {
  const list = new ProtobufWriter();
  list.bytes(1, encodeMessage(head.metadata, getDefinitionSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta')));
  for (const item of items) list.bytes(2, readEnvelope(item).raw);
  return writeEnvelope(head, list.finish());
}

/**
 * One frame of a watch (application/vnd.kubernetes.protobuf;stream=watch): the length in four bytes, big-endian, and a
 * WatchEvent message without an envelope, in which the object stands with its own.
 */
export function frameProtobufWatchEvent(type: WatchEvent['type'], object: Uint8Array): Uint8Array {
  const raw = new ProtobufWriter();
  raw.bytes(1, object);
  const event = new ProtobufWriter();
  event.text(1, type);
  event.bytes(2, raw.finish());
  const message = event.finish();
  const frame = new Uint8Array(4 + message.length);
  new DataView(frame.buffer).setUint32(0, message.length);
  frame.set(message, 4);
  return frame;
}
