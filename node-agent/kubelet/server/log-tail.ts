import type { OpenFile } from '../../linux/files/host-files.ts';
import { parseLogLine } from '../containers/log-line.ts';

const defaultChunkBytes = 64 * 1024;
const newline = 0x0a;

/**
 * The position in a log file at which its last `count` lines begin. A line in several entries counts once. Reads backwards, a piece at a
 * time, and each byte once, so that the time depends on the skipped bytes and not on `count`.
 */
export async function findTail(file: OpenFile, count: number, chunkBytes = defaultChunkBytes): Promise<number> {
  const size = await file.sizeBytes();
  if (count <= 0) return size;
  const counter = createLineCounter(count);
  /** The bytes from `start` up to the first newline found so far: the end of an entry that begins further ahead. */
  let rest: Buffer[] = [];
  for (let start = size; start > 0; ) {
    const from = Math.max(0, start - chunkBytes);
    const chunk = Buffer.from(await file.read(from, start - from));
    if (chunk.length === 0) return from; // cut off meanwhile
    let end = chunk.length;
    for (let at = chunk.lastIndexOf(newline, end - 1); at >= 0; at = at === 0 ? -1 : chunk.lastIndexOf(newline, at - 1)) {
      const entry = Buffer.concat([chunk.subarray(at + 1, end), ...rest]);
      if (counter.add(entry)) return from + at + 1 + entry.length;
      rest = [chunk.subarray(at, at + 1)];
      end = at;
    }
    rest = [chunk.subarray(0, end), ...rest];
    start = from;
  }
  const first = Buffer.concat(rest);
  return counter.add(first) ? first.length : 0;
}

/** Counts lines by their entries, from the last entry on; `add` returns whether the entry belongs to one line too many. */
function createLineCounter(count: number) {
  let lines = 0;
  let isLast = true;
  return {
    add(entry: Buffer): boolean {
      if (entry.length === 0) return false;
      const text = entry.at(-1) === newline ? entry.subarray(0, -1) : entry;
      const line = parseLogLine(text.toString());
      if (line && (!line.isPartial || isLast)) lines++; // a log may end in the middle of a line
      isLast = false;
      return lines > count;
    },
  };
}
