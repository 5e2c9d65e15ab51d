import { parseJSON } from '../serialization/json.ts';
import { concatBytes } from './read-body.ts';
import type { RawWatchEvent } from './transport.ts';

/**
 * Decodes watch events from the bytes of a JSON watch: one JSON document per line, cut into chunks anywhere. A last line without a newline
 * is dropped, since the connection ended within it; the watch is resumed from the event before.
 */
export async function* decodeWatchFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<RawWatchEvent, void, undefined> {
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = concatBytes([...pending, chunk.subarray(start, end)]);
      pending = [];
      start = end + 1;
      if (line.length > 0) yield parseJSON(line).value as RawWatchEvent;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
}

const newline = 0x0a;
