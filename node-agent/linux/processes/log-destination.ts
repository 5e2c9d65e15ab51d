import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Clock, Timer } from '../../../api/base/clock.ts';

/** A place for log lines that never throws and never makes the process wait: lines that it cannot take are dropped and counted. */
export interface LogDestination {
  /** Writes one line, which ends with a newline. */
  write(line: string): void;
  /** Tries once to write the lines that are held back, at the end of the process. */
  flush(): void;
}

/** Writes as much as there is room for and returns the number of bytes. Throws as `write(2)` fails. */
export type WriteBytes = (bytes: Buffer) => number;

interface LogDestinationOptions {
  readonly write: WriteBytes;
  readonly clock: Clock;
  /** The line that reports how many lines were dropped before it. */
  readonly describeDropped: (count: number) => string;
  /** The most bytes that are held back for a slow reader. */
  readonly maxPendingBytes?: number;
}

const retryMs = 100;
const newline = 0x0a;

/**
 * Lines wait only while the reader of a pipe or a terminal is slow (EAGAIN). Every other failure, a full disk (ENOSPC) or
 * a reader that has gone (EPIPE, EIO) among them, drops the lines at hand.
 */
export function createLogDestination({
  write,
  clock,
  describeDropped,
  maxPendingBytes = 1024 * 1024,
}: LogDestinationOptions): LogDestination {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let dropped = 0;
  /** The last byte written is within a line. */
  let isWithinLine = false;
  /** The rest of that line was dropped. */
  let isTorn = false;
  let timer: Timer | undefined;
  const push = (line: string) => {
    const bytes = Buffer.from(line);
    pending.push(bytes);
    pendingBytes += bytes.length;
  };
  const writeFirst = (first: Buffer) => {
    const bytes = isTorn ? Buffer.concat([Buffer.of(newline), first]) : first;
    const written = write(bytes);
    if (written === 0) return;
    isTorn = false;
    isWithinLine = bytes[written - 1] !== newline;
    pendingBytes += bytes.length - first.length - written;
    if (written < bytes.length) pending[0] = bytes.subarray(written);
    else pending.shift();
  };
  const writePending = () => {
    timer?.cancel();
    timer = undefined;
    try {
      for (let first = pending[0]; first !== undefined; first = pending[0]) writeFirst(first);
    } catch (error) {
      if (isBusy(error)) timer = clock.setTimer(retryMs, writePending, { background: true });
      else {
        dropped += pending.length;
        pending = [];
        pendingBytes = 0;
        isTorn = isWithinLine;
      }
    }
  };
  return {
    write(line) {
      if (pendingBytes + line.length > maxPendingBytes) {
        dropped++;
        return;
      }
      if (dropped > 0 && pending.length === 0) {
        const count = dropped;
        dropped = 0;
        push(describeDropped(count));
        writePending();
        // The line about dropped lines counts as one dropped line if it could not be written either.
        if (dropped > 0) dropped = count;
      }
      push(line);
      if (timer === undefined) writePending();
    },
    flush: writePending,
  };
}

function isBusy(error: unknown): boolean {
  return ['EAGAIN', 'EBUSY', 'EINTR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** A stream of Node, which never blocks on a socket. */
export interface LogStream {
  readonly writableLength: number;
  write(text: string | Uint8Array): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/**
 * A function that writes to an open descriptor without waiting. A pipe or a terminal is opened again, since non-blocking mode is shared
 * with all processes that have inherited it; a socket, such as the journal's, cannot be opened again and is written through its stream.
 */
export function writerTo(fd: number, stream: () => LogStream, maxPendingBytes = 1024 * 1024): WriteBytes {
  const own = findOwnDescriptor(fd);
  if (own !== undefined) return (bytes) => writeSync(own, bytes);
  const socket = stream();
  socket.on('error', () => {}); // the reader has gone: nobody is there to be told
  return (bytes) => {
    if (socket.writableLength > maxPendingBytes) throw Object.assign(new Error('the reader is slow'), { code: 'ENOBUFS' });
    socket.write(bytes);
    return bytes.length;
  };
}

function findOwnDescriptor(fd: number): number | undefined {
  try {
    const status = fstatSync(fd);
    if (status.isFile()) return fd;
    if (status.isSocket()) return undefined;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined; // closed, or of another user: its stream is all there is
  }
}
