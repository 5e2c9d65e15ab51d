import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { HostFiles, OpenFile } from '../../linux/files/host-files.ts';
import { findTime, parseTime } from '../../../api/meta/time.ts';
import { formatLogTime, parseLogLine, type LogLine } from '../containers/log-line.ts';
import { findTail } from './log-tail.ts';

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Only entries at or after it, milliseconds since the Unix epoch. */
  readonly sinceMs: number | undefined;
  readonly stream: 'All' | 'Stdout' | 'Stderr';
}

interface LogSource {
  readonly files: HostFiles;
  readonly path: string;
  /** Whether the container that writes the log still runs: only then is there something to wait for. */
  readonly isRunning: () => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const chunkBytes = 64 * 1024;
/** How long a follower waits for a change of the file before it looks whether the container still runs. */
const lookMs = 1000;

/** A container's log as `kubectl logs` shows it, in chunks. Ends with the log, or with the container if it is followed. */
export async function* readContainerLog(source: LogSource, options: LogOptions): AsyncGenerator<Uint8Array> {
  const { files, path } = source;
  const file = await files.open(path);
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  try {
    const start = options.tailLines === undefined ? 0 : await findTail(file, options.tailLines);
    // The log may have grown since its end was looked for.
    const take = boundLines(options.follow ? undefined : options.tailLines);
    for await (const all of entries(source, file, start, options.follow)) {
      const lines = take(all);
      if (lines === undefined) return;
      const text = lines.filter((line) => isWanted(line, options)).map((line) => format(line, options.timestamps));
      if (text.length === 0) continue;
      const bytes = new TextEncoder().encode(text.join(''));
      yield bytes.byteLength > left ? bytes.subarray(0, left) : bytes;
      left -= bytes.byteLength;
      if (left <= 0) return;
    }
  } finally {
    await file.close();
  }
}

/** Takes entries until there are that many complete lines; undefined when there are. */
function boundLines(maxLines = Number.POSITIVE_INFINITY): (lines: readonly LogLine[]) => readonly LogLine[] | undefined {
  let left = maxLines;
  return (lines) => {
    if (left <= 0) return undefined;
    const end = lines.findIndex(({ isPartial }) => !isPartial && --left === 0);
    return end < 0 ? lines : lines.slice(0, end + 1);
  };
}

function isWanted(line: LogLine, { sinceMs, stream }: LogOptions): boolean {
  if (stream !== 'All' && stream.toLowerCase() !== line.stream) return false;
  return sinceMs === undefined || (findTime(line.time) ?? parseTime(line.time)) >= sinceMs;
}

function format({ time, content, isPartial }: LogLine, timestamps: boolean): string {
  return `${timestamps ? `${formatLogTime(time)} ` : ''}${content}${isPartial ? '' : '\n'}`;
}

/**
 * Yields complete entries from a position on; with `follow` it waits for more while the container runs. A rotated log is read to its end,
 * and then the new one.
 */
async function* entries(source: LogSource, first: OpenFile, start: number, follow: boolean): AsyncGenerator<LogLine[]> {
  const { isRunning, signal } = source;
  const reader = createReader(first, start);
  // Runtimes that keep logs elsewhere leave a link: nothing changes in the folder of that.
  const watch = follow ? watchFile({ ...source, path: await source.files.realPath(source.path).catch(() => source.path) }) : undefined;
  try {
    while (!signal.aborted) {
      // Asked before reading, so that everything written before the container's end is still read.
      const mayGrow = follow && (await isRunning());
      const successor = follow ? await openSuccessor(source, reader.file) : undefined;
      for (let lines = await reader.read(); lines; lines = await reader.read()) yield lines;
      if (successor) {
        await reader.replace(successor);
        continue;
      }
      if (!mayGrow) return;
      await watch?.next();
    }
  } finally {
    watch?.stop();
    if (reader.file !== first) await reader.file.close();
  }
}

function createReader(first: OpenFile, start: number) {
  let position = start;
  /** The beginning of an entry whose end was not read yet. */
  let rest: Uint8Array[] = [];
  return {
    file: first,
    /** Undefined at the present end of the file. */
    async read(): Promise<LogLine[] | undefined> {
      const chunk = await this.file.read(position, chunkBytes);
      if (chunk.byteLength === 0) return undefined;
      position += chunk.byteLength;
      const cut = chunk.lastIndexOf(0x0a) + 1;
      if (cut === 0) {
        rest.push(chunk);
        return [];
      }
      const text = Buffer.concat([...rest, chunk.subarray(0, cut)]).toString();
      rest = [chunk.subarray(cut)];
      return parseLines(text);
    },
    async replace(file: OpenFile): Promise<void> {
      if (this.file !== first) await this.file.close();
      this.file = file;
      position = 0;
      rest = [];
    },
  };
}

/** The file that has taken the log's place since it was opened. */
async function openSuccessor({ files, path }: LogSource, present: OpenFile): Promise<OpenFile | undefined> {
  const facts = await files.facts(path);
  return facts && facts.inode !== (await present.inode()) ? files.open(path) : undefined;
}

function parseLines(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => parseLogLine(line) ?? []);
}

/** Resolves `next` on a change of the file, or after a second. */
function watchFile({ files, path, signal, clock }: LogSource) {
  const abort = new AbortController();
  const until = AbortSignal.any([signal, abort.signal]);
  const changes = files.changes(path.slice(0, path.lastIndexOf('/')), until)[Symbol.asyncIterator]();
  const nothing = new Promise<never>(() => {});
  /** Waits for a change of the log; where nothing can be watched, for a second. */
  const change = (): Promise<unknown> =>
    changes.next().then(
      ({ done }) => (done ? nothing : true),
      () => nothing,
    );
  let pending = change();
  return {
    async next() {
      const timer = new AbortController();
      const hasChanged = await Promise.race([pending, sleep(clock, lookMs, AbortSignal.any([until, timer.signal])).catch(() => undefined)]);
      timer.abort();
      if (hasChanged) pending = change();
    },
    stop: () => abort.abort(),
  };
}
