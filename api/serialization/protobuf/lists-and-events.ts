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

/** An encoded object, as an item of a list. */
export interface ProtobufListItem {
  /** With its envelope. Whoever holds the item keeps an encoding alive that others may share. */
  readonly object: Uint8Array;
  /** Tag and length. */
  readonly head: Uint8Array;
  /** The object without its envelope. */
  readonly message: Uint8Array;
}

export function protobufListItem(object: Uint8Array): ProtobufListItem {
  const { raw } = readEnvelope(object);
  return { object, head: tagWithLength(2, raw.length), message: raw };
}

/**
 * A list made of items, in parts that need no copying, and the size of them all. Every list of Kubernetes has its metadata
 * as field 1 and its items as field 2.
 */
export function joinProtobufList(
  { apiVersion, kind, metadata }: ListHead,
  items: readonly ProtobufListItem[],
): { readonly size: number; readonly parts: Iterable<Uint8Array> } {
  const writer = new ProtobufWriter();
  writer.bytes(1, encodeMessage({ ...metadata }, getDefinitionSchema(listMeta)));
  const listHead = writer.finish();
  const size = items.reduce((sum, { head, message }) => sum + head.length + message.length, listHead.length);
  const opening = openEnvelope({ apiVersion, kind }, size);
  return { size: opening.length + size + envelopeEnd.length, parts: partsOf([opening, listHead], items) };
}

function* partsOf(opening: readonly Uint8Array[], items: readonly ProtobufListItem[]): Generator<Uint8Array> {
  yield* opening;
  for (const { head, message } of items) {
    yield head;
    yield message;
  }
  yield envelopeEnd;
}

/**
 * Encodes one frame of a watch (application/vnd.kubernetes.protobuf;stream=watch): the length in four bytes, big-endian, and a WatchEvent
 * message without an envelope, which contains the object with its envelope.
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
