import { type Clock, sleep } from '../../../api/base/clock.ts';
import { StatusError } from '../../../api/meta/status.ts';

/** The time for which upstream tries to create its roles. */
const withinMs = 30_000;
const minDelayMs = 20;
const maxDelayMs = 1000;

/**
 * Does idempotent work again while it fails for reasons that pass: the store is not reached, or the server is overloaded.
 * Throws the last failure after half a minute.
 */
export async function retryTransient(clock: Clock, work: () => Promise<void>): Promise<void> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  for (let delayMs = minDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || clock.monotonicMs() + delayMs > deadlineMs) throw error;
    }
    await sleep(clock, delayMs);
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof StatusError && (error.code >= 500 || error.code === 429 || error.code === 409);
}
