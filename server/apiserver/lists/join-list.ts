import type { APIResponse } from '../../../api/client/transport.ts';
import { stringifyJSON } from '../../../api/serialization/json.ts';
import { protobufMediaType } from '../../../api/serialization/media-types.ts';
import {
  joinProtobufList,
  type ListHead,
  type ProtobufListItem,
  protobufListItem,
} from '../../../api/serialization/protobuf/lists-and-events.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import { costs, createTurns } from '../registry/turns.ts';
import { gatherParts } from './gather-parts.ts';

/** A list up to this size is one buffer with a content length; a larger one is written in chunks of about this size. */
const chunkBytes = 256 * 1024;
const openBrace = Buffer.from('{');
const commaBrace = Buffer.from(',{');
const tail = Buffer.from(']}\n');

/**
 * Joins the objects' own bytes into a list in JSON, without parsing or serialising. `itemOf` returns the bytes after an item's opening
 * brace.
 */
export function joinList(
  head: object,
  objects: readonly CachedObject[],
  itemOf: (object: CachedObject) => Uint8Array,
  whole: () => unknown,
): APIResponse {
  const opening = Buffer.concat([Buffer.from(stringifyJSON(head)).subarray(0, -1), Buffer.from(',"items":[')]);
  const headers = { 'content-type': 'application/json' };
  let size = 0;
  for (const object of objects) {
    size += itemOf(object).length;
    if (size > chunkBytes) return { status: 200, headers, body: { kind: 'stream', chunks: chunksOf(jsonParts(opening, objects, itemOf)) } };
  }
  const parts = [...jsonParts(opening, objects, itemOf)];
  return { status: 200, headers, body: { kind: 'bytes', bytes: Buffer.concat(parts), object: whole } };
}

function* jsonParts(
  opening: Uint8Array,
  objects: readonly CachedObject[],
  itemOf: (object: CachedObject) => Uint8Array,
): Generator<Uint8Array> {
  yield opening;
  for (const [index, object] of objects.entries()) {
    yield index > 0 ? commaBrace : openBrace;
    yield itemOf(object);
  }
  yield tail;
}

/** Joins the objects' own encodings into a list in protobuf. Its total length comes first, so all items are encoded before. */
export async function joinListInProtobuf(
  head: ListHead,
  objects: readonly CachedObject[],
  encode: (object: CachedObject) => Uint8Array | Promise<Uint8Array>,
  whole: () => unknown,
): Promise<APIResponse> {
  const items: ProtobufListItem[] = [];
  const turns = createTurns();
  for (const object of objects) {
    const encoded = encode(object);
    const bytes = encoded instanceof Promise ? await encoded : encoded;
    items.push(protobufListItem(bytes));
    if (turns.isOver(costs.object + costs.byte * bytes.length)) await turns.next();
  }
  const headers = { 'content-type': protobufMediaType.name };
  const { size, parts } = joinProtobufList(head, items);
  if (size > chunkBytes) return { status: 200, headers, body: { kind: 'stream', chunks: chunksOf(parts) } };
  return { status: 200, headers, body: { kind: 'bytes', bytes: Buffer.concat([...parts]), object: whole } };
}

/** The consumer's pace decides when the next chunk is joined, so a slow client holds only references. */
async function* chunksOf(parts: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, Uint8Array | undefined> {
  yield* gatherParts(parts, chunkBytes);
}
