import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep, type Timer } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { AuditBackend } from './audit-backend.ts';
import type { AuditEvent } from './audit-event.ts';
import type { AuditStage } from './audit-policy.ts';

export interface BatchOptions {
  /** Events that wait at most; more are dropped. */
  readonly bufferSize: number;
  /** The length of all that wait together, at most: an event may hold two objects. */
  readonly bufferLength: number;
  readonly maxSize: number;
  /** The most bytes of a batch, unless a single event is larger; absent: no limit. */
  readonly maxBytes?: number;
  readonly maxWaitMs: number;
  /** Absent: no limit. */
  readonly throttle?: { readonly batchesPerSecond: number; readonly burst: number };
  /** How often a batch that failed is sent again; after that it is dropped. */
  readonly retries: number;
  /** The first wait before a batch is sent again. */
  readonly initialBackoffMs: number;
}

interface BatchingDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Formats an event for the backend; undefined if it is left out. */
  readonly format: (event: AuditEvent, stage: AuditStage, stageMs: number) => string | undefined;
  /** Hands on events, oldest first. */
  send(events: readonly string[]): Promise<void>;
}

const maxBackoffMs = 60_000;

/** Passes events on in batches, apart from their requests. Events that cannot be passed on are dropped and counted in the log. */
export function createBatchingBackend(options: BatchOptions, { clock, random, logger, format, send }: BatchingDependencies): AuditBackend {
  const waiting: string[] = [];
  let waitingLength = 0;
  let timer: Timer | undefined;
  let dropped = 0;
  let sending: Promise<void> | undefined;
  const closing = new AbortController();
  const budget = createBudget(options.throttle, clock);

  const sendBatch = async (batch: readonly string[]) => {
    const backoff = createBackoff({ initialMs: options.initialBackoffMs, maxMs: Math.max(maxBackoffMs, options.initialBackoffMs) }, random);
    for (let attempt = 0; ; attempt++) {
      try {
        return await send(batch);
      } catch (error) {
        if (attempt >= options.retries || closing.signal.aborted) {
          logger.error('audit events are lost: they could not be handed on', { events: batch.length, error });
          return;
        }
        await sleep(clock, backoff.nextMs(), closing.signal).catch(() => undefined); // closing
      }
    }
  };
  const drain = async () => {
    while (waiting.length > 0) {
      await sleep(clock, budget(), closing.signal).catch(() => undefined); // closing
      const batch = waiting.splice(0, batchLength(waiting, options));
      await sendBatch(batch);
      // Subtracted only now, since events that are being sent are still in memory.
      waitingLength -= batch.reduce((sum, line) => sum + line.length, 0);
    }
    sending = undefined;
  };
  const flush = () => {
    timer?.cancel();
    timer = undefined;
    sending ??= drain();
  };
  return {
    record(event, stage, stageMs) {
      const line = format(event, stage, stageMs);
      if (line === undefined) return undefined;
      if (waiting.length >= options.bufferSize || waitingLength + line.length > options.bufferLength) {
        // One line for many events, so that the log does not grow as the buffer did.
        if (dropped++ % 1000 === 0) logger.warn('audit events are dropped: too many wait to be handed on', { dropped });
        return undefined;
      }
      waiting.push(line);
      waitingLength += line.length;
      if (waiting.length >= options.maxSize) flush();
      else timer ??= clock.setTimer(options.maxWaitMs, flush, { background: true });
      return undefined;
    },
    async close() {
      closing.abort();
      flush();
      await sending;
    },
  };
}

/** Events of the next batch. */
function batchLength(waiting: readonly string[], { maxSize, maxBytes = Number.POSITIVE_INFINITY }: BatchOptions): number {
  let bytes = 0;
  let count = 0;
  for (const line of waiting.slice(0, maxSize)) {
    bytes += Buffer.byteLength(line);
    if (count > 0 && bytes > maxBytes) break;
    count++;
  }
  return count;
}

/** How long to wait before the next batch, in milliseconds. */
function createBudget(throttle: BatchOptions['throttle'], clock: Clock): () => number {
  if (!throttle) return () => 0;
  let tokens = throttle.burst;
  let atMs = clock.monotonicMs();
  return () => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(throttle.burst, tokens + ((nowMs - atMs) / 1000) * throttle.batchesPerSecond) - 1;
    atMs = nowMs;
    return tokens >= 0 ? 0 : (-tokens / throttle.batchesPerSecond) * 1000;
  };
}
