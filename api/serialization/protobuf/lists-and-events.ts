import type { ListMetadata } from '../../meta/list.ts';
import type { WatchEvent } from '../../types/meta-v1.ts';
import { getDefinitionSchema } from '../../schema/definition-schema.ts';
import { encodeMessage } from './message.ts';
import { envelopeEnd, openEnvelope, readEnvelope } from './protobuf.ts';
import { ProtobufWriter, tagWithLength } from './wire.ts';

export interface ListHead {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ListMetadata;
}

const listMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';

/**
 * A list made of objects that are encoded already, in parts that need no copying: before, the length and the message of
 * each item in turn, after. Every list of Kubernetes has its metadata as field 1 and its items as field 2.
 */
export function joinProtobufList({ apiVersion, kind, metadata }: ListHead, items: readonly Uint8Array[]): Uint8Array[] {
  const head = new ProtobufWriter();
  head.bytes(1, encodeMessage({ ...metadata }, getDefinitionSchema(listMeta)));
  const messages = items.map((item) => readEnvelope(item).raw);
  const lengths = messages.map((message) => tagWithLength(2, message.length));
  const listHead = head.finish();
  let size = listHead.length;
  messages.forEach((message, index) => {
    size += message.length + (lengths[index]?.length ?? 0);
  });
  const parts = [openEnvelope({ apiVersion, kind }, size), listHead];
  messages.forEach((message, index) => parts.push(lengths[index] ?? new Uint8Array(), message));
  parts.push(envelopeEnd);
  return parts;
}

/**
 * One frame of a watch (application/vnd.kubernetes.protobuf;stream=watch): the length in four bytes, big-endian, and a
 * WatchEvent message without an envelope, in which the object stands with its own.
 */
export function frameProtobufWatchEvent(type: WatchEvent['type'], object: Uint8Array): Uint8Array {
  const event = new ProtobufWriter(new Uint8Array(4));
  event.text(1, type);
  const mark = event.begin(2);
  event.bytes(1, object);
  event.end(mark);
  const frame = event.finish();
  new DataView(frame.buffer).setUint32(0, frame.length - 4);
  return frame;
}
