import type { Frame } from './watch-encoder.ts';

/** Pieces are joined up to this size: one write for many small events, and no copy of a large one. */
const chunkBytes = 64 * 1024;

export interface JoinedFrames {
  readonly chunks: readonly Uint8Array[];
  /** Bytes of each frame. */
  readonly sizes: readonly number[];
}

export function joinFrames(frames: readonly Frame[]): JoinedFrames {
  const chunks: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let size = 0;
  const flush = () => {
    const [first] = parts;
    if (first) chunks.push(parts.length === 1 ? first : Buffer.concat(parts, size));
    parts = [];
    size = 0;
  };
  for (const part of frames.flat()) {
    if (size > 0 && size + part.length > chunkBytes) flush();
    parts.push(part);
    size += part.length;
  }
  flush();
  return { chunks, sizes: frames.map((frame) => frame.reduce((sum, { length }) => sum + length, 0)) };
}
