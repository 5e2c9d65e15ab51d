import type { Clock, Timer } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
}

/** Lets callers wait until a growing revision is reached. */
export class RevisionGate {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #revision: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined until the first advance. */
  get revision(): number | undefined {
    return this.#revision;
  }

  advance(revision: number): void {
    this.#revision = revision;
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** Waits for a revision, which may itself have to be asked for. Throws StorageError 'timeout'. */
  async reach(
    target: number | (() => Promise<number>),
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    if (this.#hasReached(target)) return;
    const { timeoutMs, signal } = options;
    signal.throwIfAborted();
    const limit = Promise.withResolvers<never>();
    const onAbort = () => limit.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer: Timer = this.#clock.setTimer(timeoutMs, () => limit.reject(this.#timeout(timeoutMs)));
    let waiter: Waiter | undefined;
    try {
      const revision = await Promise.race([typeof target === 'number' ? target : target(), limit.promise]);
      if (this.#hasReached(revision)) return;
      const arrival = Promise.withResolvers<void>();
      waiter = { revision, resolve: arrival.resolve };
      this.#waiters.add(waiter);
      await Promise.race([arrival.promise, limit.promise]);
    } finally {
      if (waiter) this.#waiters.delete(waiter);
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #hasReached(target: number | (() => Promise<number>)): boolean {
    return this.#revision !== undefined && typeof target === 'number' && this.#revision >= target;
  }

  #timeout(timeoutMs: number): StorageError {
    const revision = this.#revision;
    const state = revision === undefined ? 'is still loading' : `is at revision ${revision}`;
    const message = `the cache did not catch up within ${timeoutMs} ms; it ${state}`;
    return new StorageError('timeout', message, revision === undefined ? {} : { revision });
  }
}

/**
 * Shares one call among callers that ask at about the same time. A caller never gets the result of a call that began before it asked: it
 * waits for the next call. A single caller waits for nothing; if several asked together just before, one turn of the event loop is waited
 * for, in which more may join.
 */
export function coalesced<T>(call: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let gathering: Promise<T> | undefined;
  let callers = 0;
  let callersBefore = 0;
  const gather = async (): Promise<T> => {
    await running;
    if (callersBefore > 1) await new Promise((resolve) => setImmediate(resolve));
    gathering = undefined;
    callersBefore = callers;
    callers = 0;
    const answer = call();
    running = answer.catch(() => undefined);
    return answer;
  };
  return () => {
    callers++;
    gathering ??= gather();
    return gathering;
  };
}
