import type { ServerResponse } from 'node:http';
import type { Patience } from '../../api/client/transport.ts';
import type { Http2ServerResponse } from 'node:http2';
import type { Clock } from '../../api/base/clock.ts';
import type { WriteTurns } from './write-turns.ts';

/**
 * `taken`: the client's machine has taken everything; `gone`: the client has gone; `late`: the client has kept the body waiting for longer
 * than it may.
 */
type WriteOutcome = 'written' | 'taken' | 'gone' | 'late';

interface BodyWriter {
  /** Resolves when more may be written; undefined if that is now. */
  write(chunk: Uint8Array): Promise<WriteOutcome> | undefined;
  release(): void;
}

/** Larger chunks are written in pieces, when it is their turn. */
const largeBytes = 32 * 1024;
/** The bytes that HTTP/1.1 writes around a piece: with it, pieces are whole records of TLS. */
const frameBytes = 9;
/**
 * TLS encrypts everything that it gets at once: writing no more than this bounds the memory of a connection with a slow client. The first
 * piece needs no turn.
 */
const smallPieceBytes = 64 * 1024 - frameBytes;
/** The larger the piece the less it costs by the byte. For clients that read at once. */
const pieceBytes = 256 * 1024 - frameBytes;

export function createBodyWriter(
  { clock, writeTurns }: WritingDependencies,
  response: NodeResponse,
  patience: Patience | undefined,
  signal: AbortSignal,
): BodyWriter {
  const place = writeTurns.enter();
  let isFirst = true;
  let waitedMs = 0;
  const release = () => {
    signal.removeEventListener('abort', release);
    place.leave();
  };
  signal.addEventListener('abort', release, { once: true });

  /** Waits until the client's machine has taken the written bytes. */
  const drained = (): Promise<WriteOutcome> => {
    const begunMs = clock.monotonicMs();
    return new Promise((resolve) => {
      const settle = (outcome: WriteOutcome) => {
        timer?.cancel();
        signal.removeEventListener('abort', onGone);
        response.off('drain', onDrain);
        if (patience?.each === 'body') waitedMs += clock.monotonicMs() - begunMs;
        resolve(outcome);
      };
      const onGone = () => settle('gone');
      const onDrain = () => settle('taken');
      const timer = patience && clock.setTimer(Math.max(0, patience.ms - waitedMs), () => settle('late'), { background: true });
      signal.addEventListener('abort', onGone, { once: true });
      response.on('drain', onDrain);
    });
  };
  const writePieces = async (chunk: Uint8Array): Promise<WriteOutcome> => {
    let outcome: WriteOutcome = 'written';
    for (let at = 0; at < chunk.length; ) {
      const size = isFirst || place.isSlow ? smallPieceBytes : pieceBytes;
      const piece = at === 0 && chunk.length <= size ? chunk : chunk.subarray(at, at + size);
      at += size;
      if (!isFirst) {
        const turn = place.next(piece.length);
        if (turn) await turn;
        if (signal.aborted) return 'gone';
      }
      outcome = (response as ServerResponse).write(piece) ? 'written' : await drained();
      if (!isFirst) place.taken();
      isFirst = false;
      if (outcome === 'gone' || outcome === 'late') return outcome;
    }
    return outcome;
  };
  return {
    write(chunk) {
      if (signal.aborted) return Promise.resolve('gone');
      if (chunk.length > largeBytes) return writePieces(chunk);
      place.rest();
      return (response as ServerResponse).write(chunk) ? undefined : drained();
    },
    release,
  };
}

/** The common part of HTTP/1.1 and HTTP/2 responses. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

export interface WritingDependencies {
  readonly clock: Clock;
  readonly writeTurns: WriteTurns;
}
