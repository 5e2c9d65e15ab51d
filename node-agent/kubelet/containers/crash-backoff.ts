import type { Clock } from '../../../api/base/clock.ts';

const firstMs = 10_000;
const maxMs = 300_000;
/** A container that ran this long is not considered to be crashing any more. */
const forgivenAfterMs = 2 * maxMs;

interface Entry {
  delayMs: number;
  updatedMs: number;
}

/** Delays that double per key: 10 s, 20 s, ... 5 min. */
export interface Backoff {
  /** Until when the key has to wait, given when its last attempt ended; undefined if it may go on now. */
  waitUntil(key: string, endedMs: number): number | undefined;
  /** The present delay, 0 for none. */
  delayMs(key: string): number;
  /** Notes that a new attempt begins: the next delay is twice as long. */
  next(key: string, eventMs: number): void;
  forget(key: string): void;
}

export function createBackoff(clock: Clock): Backoff {
  const entries = new Map<string, Entry>();
  return {
    waitUntil(key, endedMs) {
      const entry = entries.get(key);
      if (!entry || endedMs - entry.updatedMs > forgivenAfterMs) return undefined;
      const until = endedMs + entry.delayMs;
      return until > clock.nowMs() ? until : undefined;
    },
    delayMs: (key) => entries.get(key)?.delayMs ?? 0,
    next(key, eventMs) {
      const entry = entries.get(key);
      const isForgiven = !entry || eventMs - entry.updatedMs > forgivenAfterMs;
      entries.set(key, { delayMs: isForgiven ? firstMs : Math.min(entry.delayMs * 2, maxMs), updatedMs: clock.nowMs() });
    },
    forget: (key) => void entries.delete(key),
  };
}
