import { createReadStream, createWriteStream, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from '../../../api/base/clock.ts';
import { formatMilliTime, parseMilliTime } from './rotated-name.ts';

interface AuditLogFileOptions {
  /** Bytes at which a new file is begun. */
  readonly maxBytes: number;
  /** How long old files are kept; 0: for ever. */
  readonly maxAgeDays: number;
  /** How many old files are kept; 0: all. */
  readonly maxBackups: number;
  readonly compress: boolean;
}

/** A file that lines are appended to. A full file is renamed to a name with the time. */
interface AuditLogFile {
  /** Resolves when the line has been handed to the operating system. */
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

const dayMs = 86_400_000;

/** Lines that arrive while others are written are written together, so a slow disk delays only those that wait for it. */
export async function openAuditLogFile(file: string, options: AuditLogFileOptions, clock: Clock): Promise<AuditLogFile> {
  const directory = path.dirname(file);
  await mkdir(directory, { recursive: true });
  let handle = await openFor(file);
  let bytes = (await handle.stat()).size;
  /** Whether the last line has no end: a full disk, or the end of the machine, came in its midst. */
  let isTorn = await endsTorn(handle, bytes);
  let waiting: { readonly line: string; readonly done: PromiseWithResolvers<void> }[] = [];
  let writing: Promise<void> | undefined;
  const put = await createWriter(directory, handle, clock);
  let housekeeping: Promise<void> = Promise.resolve();

  const rotate = async () => {
    const { dir, name, ext } = path.parse(file);
    const aside = path.join(dir, `${name}-${formatMilliTime(clock.nowMs())}${ext}`);
    await rename(file, aside);
    const before = handle;
    handle = await openFor(file);
    bytes = 0;
    isTorn = false;
    await before.close();
    // Not awaited, since old files may be large.
    housekeeping = housekeeping.then(() => tidy(file, options, clock)).catch(() => undefined);
  };
  const write = async () => {
    while (waiting.length > 0) {
      // Lines of other requests in this turn of the event loop go with the same write.
      await new Promise((resolve) => setImmediate(resolve));
      const group = waiting;
      waiting = [];
      try {
        const text = Buffer.from(group.map(({ line }) => `${line}\n`).join(''));
        if (bytes > 0 && bytes + text.length > options.maxBytes) await rotate();
        await put(handle, isTorn ? Buffer.concat([newline, text]) : text);
        bytes += text.length + (isTorn ? 1 : 0);
        isTorn = false;
        for (const { done } of group) done.resolve();
      } catch (error) {
        for (const { done } of group) done.reject(error);
        bytes = await handle.stat().then(
          ({ size }) => size,
          () => bytes,
        );
        isTorn = await endsTorn(handle, bytes);
      }
    }
    writing = undefined;
  };
  return {
    append(line) {
      const done = Promise.withResolvers<void>();
      waiting.push({ line, done });
      writing ??= write();
      return done.promise;
    },
    async close() {
      await writing;
      await housekeeping;
      await handle.close();
    },
  };
}

/** Opens a log that only the administrator may read, for it holds the content of requests. */
function openFor(file: string): Promise<FileHandle> {
  return open(file, 'a+', 0o600);
}

/** File systems of this machine's disks and memory (statfs(2)): a write to them ends in the page cache. */
const localFileSystems: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0x01021994, 0x794c7630, 0xf2f52010]);
/** A write that takes longer than this was held up by the disk. */
const slowWriteMs = 5;
/** The milliseconds without a slow write after which the disk counts as fast again. */
const slowForMs = 30_000;

/**
 * Returns the function that writes to the end of the file. A write to the page cache takes some microseconds, and handing it to another
 * thread several times as long, so the lines are written at once. After a slow write, and to anything but a plain file on a local file
 * system, another thread writes them, so that the disk does not hold the event loop.
 */
async function createWriter(directory: string, first: FileHandle, clock: Clock) {
  const { type } = await statfs(directory);
  const isPlain = localFileSystems.has(type) && (await first.stat()).isFile();
  let slowUntilMs = isPlain ? 0 : Number.POSITIVE_INFINITY;
  return async (handle: FileHandle, bytes: Uint8Array): Promise<void> => {
    const beganMs = clock.monotonicMs();
    if (beganMs < slowUntilMs) for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
    else for (let at = 0; at < bytes.length; ) at += writeSync(handle.fd, bytes, at);
    const nowMs = clock.monotonicMs();
    if (nowMs - beganMs > slowWriteMs) slowUntilMs = Math.max(slowUntilMs, nowMs + slowForMs);
  };
}

const newline = Buffer.from('\n');

async function endsTorn(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  const { bytesRead } = await handle.read(last, 0, 1, size - 1).catch(() => ({ bytesRead: 0 }));
  return bytesRead === 1 && !last.equals(newline);
}

async function tidy(file: string, { maxAgeDays, maxBackups, compress }: AuditLogFileOptions, clock: Clock): Promise<void> {
  const { dir, name, ext } = path.parse(file);
  const old = (await readdir(dir))
    .flatMap((entry) => {
      const isCompressed = entry.endsWith('.gz');
      const plain = isCompressed ? entry.slice(0, -3) : entry;
      if (!plain.startsWith(`${name}-`) || !plain.endsWith(ext)) return [];
      const atMs = parseMilliTime(plain.slice(name.length + 1, plain.length - ext.length));
      return atMs === undefined ? [] : [{ entry, atMs, isCompressed }];
    })
    .sort((a, b) => b.atMs - a.atMs);
  for (const [index, { entry, atMs, isCompressed }] of old.entries()) {
    const place = path.join(dir, entry);
    const isSurplus = maxBackups > 0 && index >= maxBackups;
    if (isSurplus || (maxAgeDays > 0 && clock.nowMs() - atMs > maxAgeDays * dayMs)) await rm(place, { force: true });
    else if (compress && !isCompressed) await compressFile(place);
  }
}

async function compressFile(file: string): Promise<void> {
  const { mode } = await stat(file);
  await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.gz`, { mode }));
  await rm(file);
}
