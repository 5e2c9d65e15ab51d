import type { Clock, Timer } from './clock.ts';

/** A time in which the event loop did nothing else. */
export interface LoopHold {
  readonly ms: number;
  /** The kind of work that took the longest part of the hold, e.g. `request`; `other` for work that did not announce itself. */
  readonly kind: string;
  /** The work in words. */
  readonly work: string;
}

/** Notices when the event loop is held for long, and by which work. */
export interface LoopWatch {
  /** Announces that possibly long work begins. Costs two comparisons; `describe` is called only if the work held the loop. */
  begins(kind: string, describe: () => string): void;
  stop(): void;
}

interface LoopWatchOptions {
  readonly clock: Clock;
  readonly onHold: (hold: LoopHold) => void;
  /** The shortest hold that is reported, in milliseconds. Default 20. */
  readonly minHoldMs?: number;
}

/** How often it is looked whether a timer still fires in time. */
const intervalMs = 10;

const unknown = { kind: 'other', describe: () => 'a timer, or input and output' };

/** Watches the event loop of this thread until it is stopped. */
export function watchLoop({ clock, onHold, minHoldMs = 20 }: LoopWatchOptions): LoopWatch {
  let current: { readonly kind: string; describe(): string } = unknown;
  let currentSince = clock.monotonicMs();
  let longest = unknown;
  let longestMs = 0;
  let lastTick = currentSince;
  let timer: Timer;
  const change = (next: typeof current) => {
    const now = clock.monotonicMs();
    if (now - currentSince > longestMs) {
      longestMs = now - currentSince;
      longest = current;
    }
    current = next;
    currentSince = now;
    return now;
  };
  const tick = () => {
    const now = change(unknown);
    const lateMs = now - lastTick - intervalMs;
    if (lateMs >= minHoldMs) onHold({ ms: lateMs, kind: longest.kind, work: longest.describe() });
    longest = unknown;
    longestMs = 0;
    lastTick = now;
    timer = clock.setTimer(intervalMs, tick, { background: true });
  };
  timer = clock.setTimer(intervalMs, tick, { background: true });
  return {
    begins: (kind, describe) => void change({ kind, describe }),
    stop: () => timer.cancel(),
  };
}
