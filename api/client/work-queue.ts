import type { Clock, Timer } from '../base/clock.ts';

/**
 * The queue of keys of a controller. A key that is added several times is in the queue once. A key in work is not handed out again until
 * `done`, and is queued again then if it was added meanwhile. So one object is never worked on twice at the same time, and no change is
 * missed.
 */
export interface WorkQueue {
  add(key: string): void;
  /** Adds the key after a delay; of several delays for one key the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Adds after the key's next backoff: 5 ms doubling to 1000 s, and not more than 10 keys a second beyond a burst of 100. */
  addRateLimited(key: string): void;
  /** The key's backoff begins anew. */
  forget(key: string): void;
  /** How often the key was rate limited since it was last forgotten. */
  requeues(key: string): number;
  /** The next key, as soon as there is one; undefined once the queue is shut down and empty. */
  get(): Promise<string | undefined>;
  /** To be called for every key that `get` returned. */
  done(key: string): void;
  /** Keys ready and waiting. */
  length(): number;
  /** Ends the queue: it takes no more keys and drops the delayed ones; keys that are ready are still handed out. */
  shutDown(): void;
}

interface WorkQueueSettings {
  readonly clock: Clock;
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
  /** Overall budget of addRateLimited, in keys a second, and its burst. */
  readonly keysPerSecond?: number;
  readonly burst?: number;
  /** Called with the time that a key was ready before it was handed out. */
  readonly onHandedOut?: (key: string, waitedMs: number) => void;
}

export function createWorkQueue(settings: WorkQueueSettings): WorkQueue {
  return new KeyQueue(settings);
}

class KeyQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #budget: (nowMs: number) => number;
  readonly #onHandedOut: ((key: string, waitedMs: number) => void) | undefined;
  /** Ready keys in order, with the time since when. */
  readonly #ready = new Map<string, number>();
  readonly #inWork = new Set<string>();
  /** Added while in work. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { readonly atMs: number; readonly timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #isShutDown = false;

  constructor(settings: WorkQueueSettings) {
    this.#clock = settings.clock;
    this.#baseDelayMs = settings.baseDelayMs ?? 5;
    this.#maxDelayMs = settings.maxDelayMs ?? 1_000_000;
    this.#budget = createBudget(settings.keysPerSecond ?? 10, settings.burst ?? 100);
    this.#onHandedOut = settings.onHandedOut;
  }

  add(key: string): void {
    if (this.#isShutDown) return;
    if (this.#inWork.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#ready.has(key)) return;
    this.#ready.set(key, this.#clock.monotonicMs());
    this.#handOut();
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#isShutDown) return;
    const atMs = this.#clock.monotonicMs() + delayMs;
    const present = this.#delayed.get(key);
    if (present !== undefined && present.atMs <= atMs) return;
    present?.timer.cancel();
    this.#delayed.delete(key);
    if (delayMs <= 0) return this.add(key);
    const fire = () => {
      this.#delayed.delete(key);
      this.add(key);
    };
    this.#delayed.set(key, { atMs, timer: this.#clock.setTimer(delayMs, fire, { background: true }) });
  }

  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const backoffMs = Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs);
    this.addAfter(key, Math.max(backoffMs, this.#budget(this.#clock.monotonicMs())));
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  requeues(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  get(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#handOut();
    });
  }

  done(key: string): void {
    this.#inWork.delete(key);
    if (this.#again.delete(key)) {
      this.#ready.set(key, this.#clock.monotonicMs());
      this.#handOut();
    }
  }

  length(): number {
    return this.#ready.size;
  }

  shutDown(): void {
    this.#isShutDown = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#handOut();
  }

  #handOut(): void {
    for (const [key, sinceMs] of this.#ready) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      this.#ready.delete(key);
      this.#inWork.add(key);
      this.#onHandedOut?.(key, this.#clock.monotonicMs() - sinceMs);
      taker(key);
    }
    if (this.#isShutDown) for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}

/** A token bucket that may go into debt: returns how many milliseconds the next caller has to wait. */
function createBudget(perSecond: number, burst: number): (nowMs: number) => number {
  let tokens = burst;
  let atMs = 0;
  return (nowMs) => {
    tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1000) * perSecond) - 1;
    atMs = nowMs;
    return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000;
  };
}
