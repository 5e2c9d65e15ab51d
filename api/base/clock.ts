/** A timer that has been set; `cancel` is idempotent and safe after it fired. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Code that waits or reads the time takes a Clock, so that tests and simulation can run hours in milliseconds. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. For durations and latencies. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`. A pending timer of the system clock keeps the process alive unless `background`. */
  setTimer(delayMs: number, fire: () => void, options?: { background?: boolean }): Timer;
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as `signal` is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
