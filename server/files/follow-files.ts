import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';

/** The content of a file; undefined: there is no such file. */
export type FileContent = Uint8Array | undefined;

interface FollowOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The name of the configuration in log lines, e.g. `authentication configuration`. */
  readonly what: string;
  /** The contents that are in use already. Absent: the first check applies the contents that it finds. */
  readonly known?: readonly FileContent[];
  /**
   * Applies changed contents, in the order of the files. If it rejects, the old contents stay in use and it is called again at the next
   * check.
   */
  apply(contents: readonly FileContent[]): void | Promise<void>;
  /** Called with each failure to read or to apply, besides the line in the log. */
  onFailure?(error: unknown): void;
}

/** A change that the kernel did not report, e.g. on a network file system, is seen after this time. */
const pollMs = 60_000;
/** The milliseconds that writers of several files, or of one file in pieces, get to finish. It also limits the checks of busy folders. */
const settleMs = 500;
const maxFileBytes = 8 * 1024 * 1024;

/** Calls `apply` whenever the content of one of the files has changed, until the signal is aborted. Never rejects. */
export async function followFiles(files: readonly string[], options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, what } = options;
  let applied = options.known;
  const bell = createBell(clock);
  const watchers = watchFolders(files, () => bell.ring());
  const stop = () => bell.ring();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (!isFirst || applied !== undefined) await bell.wait(pollMs);
      if (signal.aborted) return;
      await bell.pause(settleMs, signal);
      if (signal.aborted) return;
      try {
        const contents = await readFiles(files);
        if (applied !== undefined && isSame(contents, applied)) continue;
        await options.apply(contents);
        applied = contents;
      } catch (error) {
        logger.error(`the changed ${what} cannot be used, the one before stays in use`, { files, error });
        options.onFailure?.(error);
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    for (const watcher of watchers) watcher.close();
  }
}

/** The contents of the files, in their order. Rejects for files that cannot be read or are larger than 8 MiB. */
export function readFiles(files: readonly string[]): Promise<FileContent[]> {
  return Promise.all(files.map(readBounded));
}

async function readBounded(file: string): Promise<FileContent> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const buffer = Buffer.alloc(64 * 1024);
    const chunks: Buffer[] = [];
    for (let size = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      size += bytesRead;
      if (size > maxFileBytes) throw new Error(`${file} is larger than ${maxFileBytes} bytes`);
      chunks.push(Buffer.from(buffer.subarray(0, bytesRead)));
    }
  } finally {
    await handle.close();
  }
}

function isSame(a: readonly FileContent[], b: readonly FileContent[]): boolean {
  return a.length === b.length && a.every((content, index) => equals(content, b[index]));
}

function equals(a: FileContent, b: FileContent): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}

/**
 * Watches the folders rather than the files: a file that is replaced by a rename, or by a symbolic link as in volumes of
 * ConfigMaps, is another file.
 */
function watchFolders(files: readonly string[], onChange: () => void): readonly FSWatcher[] {
  return [...new Set(files.map((file) => path.dirname(path.resolve(file))))].flatMap((folder) => {
    try {
      const watcher = watch(folder, { persistent: false }, onChange);
      // If a folder is removed or no more watches are available, the check every minute remains.
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return [];
    }
  });
}

interface Bell {
  ring(): void;
  /** Resolves when it has rung since the last wait, or after that time. */
  wait(ms: number): Promise<void>;
  /** Resolves after that time, or when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

function createBell(clock: Clock): Bell {
  let hasRung = false;
  let wake = () => {};
  const sleep = (ms: number, isOver: () => boolean) =>
    new Promise<void>((resolve) => {
      if (isOver()) return resolve();
      const end = () => {
        timer.cancel();
        wake = () => {};
        resolve();
      };
      const timer = clock.setTimer(ms, end, { background: true });
      wake = () => {
        if (isOver()) end();
      };
    });
  return {
    ring() {
      hasRung = true;
      wake();
    },
    async wait(ms) {
      await sleep(ms, () => hasRung);
      hasRung = false;
    },
    pause: (ms, signal) => sleep(ms, () => signal.aborted),
  };
}
