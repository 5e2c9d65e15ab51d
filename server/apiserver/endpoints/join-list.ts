import type { APIResponse } from '../../../api/client/transport.ts';
import { stringifyJSON } from '../../../api/serialization/json.ts';
import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';

/** A list up to this size is one buffer with a content length; a larger one is written in chunks of about this size. */
const chunkBytes = 256 * 1024;
const comma = Buffer.from(',');
const tail = Buffer.from(']}\n');

/** A list's JSON: the objects' own bytes, joined. Nothing is parsed or serialised. */
export function joinList(
  head: object,
  objects: readonly CachedObject[],
  bytesOf: (object: CachedObject) => Uint8Array,
  whole: () => unknown,
): APIResponse {
  const opening = Buffer.concat([Buffer.from(stringifyJSON(head)).subarray(0, -1), Buffer.from(',"items":[')]);
  const headers = { 'content-type': 'application/json' };
  let size = 0;
  for (const object of objects) {
    size += bytesOf(object).length;
    if (size > chunkBytes) return { status: 200, headers, body: { kind: 'stream', chunks: chunksOf(opening, objects, bytesOf) } };
  }
  const parts: Uint8Array[] = [opening];
  objects.forEach((object, index) => {
    if (index > 0) parts.push(comma);
    parts.push(bytesOf(object));
  });
  parts.push(tail);
  return { status: 200, headers, body: { kind: 'bytes', bytes: Buffer.concat(parts), object: whole } };
}

/** The consumer's pace decides when the next chunk is joined, so a slow client holds only references. */
async function* chunksOf(
  opening: Uint8Array,
  objects: readonly CachedObject[],
  bytesOf: (object: CachedObject) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [opening];
  let size = opening.length;
  for (const [index, object] of objects.entries()) {
    if (index > 0) parts.push(comma);
    const bytes = bytesOf(object);
    parts.push(bytes);
    size += bytes.length;
    if (size < chunkBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  parts.push(tail);
  yield Buffer.concat(parts);
}
