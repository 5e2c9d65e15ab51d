import { gatherParts } from '../lists/gather-parts.ts';
import type { Frame } from './watch-encoder.ts';

/** Frames are joined up to this size: one write for many small events, and no copy of a large one. */
const chunkBytes = 64 * 1024;
/** The larger the cheaper by the byte, and the more a slow reader holds. */
const followedChunkBytes = 256 * 1024;

interface JoinedFrames {
  readonly chunks: Iterable<Uint8Array>;
  /** Bytes of each frame. */
  readonly sizes: readonly number[];
}

/** Joins frames into chunks that any number of readers may share. */
export function joinFrames(frames: readonly Frame[]): JoinedFrames {
  return { chunks: [...gatherParts(frames.flat(), chunkBytes)], sizes: sizesOf(frames) };
}

/** Frames for one reader, at its own pace: a slow reader holds only the parts of the frames. */
export function followFrames(frames: readonly Frame[]): JoinedFrames {
  return { chunks: gatherParts(frames.flat(), followedChunkBytes), sizes: sizesOf(frames) };
}

function sizesOf(frames: readonly Frame[]): number[] {
  return frames.map((frame) => frame.reduce((sum, { length }) => sum + length, 0));
}
