import { statfs } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';

/** The free space is asked for again after so much was written or so much time has passed. */
const freshBytes = 4 * 1024 * 1024;
const freshMs = 1000;

/** Foresees a full disk: commits are refused while there is still room to compact, and before a write can fail halfway. */
export class DiskSpace {
  readonly #directory: string;
  readonly #minFreeBytes: number;
  readonly #clock: Clock;
  #freeBytes = 0;
  #writtenBytes = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(directory: string, minFreeBytes: number, clock: Clock) {
    this.#directory = directory;
    this.#minFreeBytes = minFreeBytes;
    this.#clock = clock;
  }

  /** Before `bytes` are written. Throws StorageError 'no-space'. */
  async claim(bytes: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#writtenBytes > freshBytes || nowMs - this.#askedMs > freshMs || !this.#fits(bytes)) {
      const { bavail, bsize } = await statfs(this.#directory);
      this.#freeBytes = bavail * bsize;
      this.#writtenBytes = 0;
      this.#askedMs = nowMs;
    }
    if (!this.#fits(bytes)) {
      const free = Math.floor(this.#freeBytes / 1024 ** 2);
      throw new StorageError('no-space', `no space left on the disk of the store (${free} MiB free)`);
    }
    this.#writtenBytes += bytes;
  }

  #fits(bytes: number): boolean {
    return this.#freeBytes - this.#writtenBytes - bytes >= this.#minFreeBytes;
  }
}
