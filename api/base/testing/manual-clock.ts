import type { Clock, Timer } from '../clock.ts';

interface Pending {
  atMs: number;
  order: number;
  fire: () => void;
}

/** Virtual time: stands still until told to advance; timers fire in order of their time, ties in order of setting. */
export interface ManualClock extends Clock {
  /** Moves time forward, firing what falls due, letting promise continuations run between timers. */
  advance(byMs: number): Promise<void>;
  pendingTimers(): number;
}

/** Runs all promise continuations that are ready, including chains of a few hundred. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs;
  let order = 0;
  const pending = new Set<Pending>();
  const earliest = (limitMs: number): Pending | undefined => {
    let found: Pending | undefined;
    for (const timer of pending) {
      if (timer.atMs > limitMs) continue;
      if (!found || timer.atMs < found.atMs || (timer.atMs === found.atMs && timer.order < found.order)) found = timer;
    }
    return found;
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    setTimer(delayMs, fire): Timer {
      const timer: Pending = { atMs: nowMs + Math.max(0, delayMs), order: order++, fire };
      pending.add(timer);
      return { cancel: () => void pending.delete(timer) };
    },
    async advance(byMs) {
      const endMs = nowMs + byMs;
      await settle();
      for (let next = earliest(endMs); next; next = earliest(endMs)) {
        pending.delete(next);
        nowMs = Math.max(nowMs, next.atMs);
        next.fire();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
    pendingTimers: () => pending.size,
  };
}
