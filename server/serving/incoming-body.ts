import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../api/base/clock.ts';
import type { IncomingBody } from '../../api/client/transport.ts';
import { badRequest, requestEntityTooLarge, requestTimedOut, tooManyRequests } from '../../api/meta/status-errors.ts';
import type { BodyMemory } from './body-memory.ts';

/** The bytes and milliseconds for which an unwanted body is still read, so that the client gets to read the answer. */
const maxDiscardedBytes = 16 * 1024 * 1024;
const maxDiscardMs = 10_000;
/** How long a body may take in all, and how long nothing of it may come. */
const maxReadMs = 60_000;
const maxPauseMs = 15_000;

interface IncomingBodyOptions {
  /** The Content-Length; undefined for a body in chunks. */
  readonly declaredLength: string | undefined;
  readonly memory: BodyMemory;
  readonly clock: Clock;
}

interface OwnedIncomingBody extends IncomingBody {
  /** Called when the answer begins: ends reading, gives memory back, and lets unread data pass. */
  release(): void;
}

/** The body of a request, which stays on its connection until it is read. */
export function createIncomingBody(request: Readable, options: IncomingBodyOptions): OwnedIncomingBody {
  let isUsed = false;
  let share: ReturnType<BodyMemory['open']> | undefined;
  const over = new AbortController();
  return {
    async read(limit, user) {
      // A request that ran out of time continues for a while, and nothing would give back memory that it takes now.
      if (over.signal.aborted) throw requestTimedOut();
      isUsed = true;
      share = options.memory.open(user);
      try {
        return await readWhole(request, limit, share, { ...options, over: over.signal });
      } catch (error) {
        discard(request, options.clock);
        throw error;
      }
    },
    async *chunks() {
      isUsed = true;
      try {
        yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
      } finally {
        if (!request.readableEnded) discard(request, options.clock);
      }
    },
    length: options.declaredLength === undefined ? undefined : Number(options.declaredLength),
    release() {
      over.abort();
      share?.release();
      if (!isUsed) discard(request, options.clock);
    },
  };
}

function readWhole(
  request: Readable,
  limit: number,
  share: ReturnType<BodyMemory['open']>,
  { declaredLength, clock, over }: Pick<IncomingBodyOptions, 'declaredLength' | 'clock'> & { readonly over: AbortSignal },
): Promise<Uint8Array> {
  const tooLarge = () => requestEntityTooLarge(`limit is ${limit}`);
  if (declaredLength !== undefined && Number(declaredLength) > limit) return Promise.reject(tooLarge());
  // A client that has gone already: its stream has had its last event.
  if (request.readableEnded || request.destroyed) return Promise.reject(badRequest('unexpected EOF'));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isMoving = false;
    const timers: Timer[] = [];
    const finish = (settle: () => void) => {
      for (const timer of timers) timer.cancel();
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      over.removeEventListener('abort', onOver);
      request.on('error', () => {});
      settle();
    };
    const fail = (error: Error) => finish(() => reject(error));
    const onData = (chunk: Buffer) => {
      isMoving = true;
      size += chunk.length;
      if (size > limit) fail(tooLarge());
      else if (!share.take(chunk.length)) fail(tooManyRequests('Too many requests, please try again later.', 1));
      else chunks.push(chunk);
    };
    const onEnd = () => finish(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)));
    const onGone = () => fail(badRequest('unexpected EOF'));
    const onOver = () => fail(requestTimedOut());
    const watchPause = () => {
      timers[1] = clock.setTimer(
        maxPauseMs,
        () => {
          if (!isMoving) return fail(requestTimedOut());
          isMoving = false;
          watchPause();
        },
        { background: true },
      );
    };
    timers[0] = clock.setTimer(maxReadMs, () => fail(requestTimedOut()), { background: true });
    watchPause();
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    over.addEventListener('abort', onOver, { once: true });
  });
}

function discard(request: Readable, clock: Clock): void {
  let discarded = 0;
  const timer = clock.setTimer(maxDiscardMs, () => request.destroy(), { background: true });
  const stop = () => timer.cancel();
  request.on('error', () => {});
  request.once('end', stop).once('close', stop);
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > maxDiscardedBytes) request.destroy();
  });
}
