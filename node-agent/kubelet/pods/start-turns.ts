import type { Clock, Timer } from '../../../api/base/clock.ts';

/** Lets only a few Pods start at a time, in the order of arrival: if many started together, all of them would be as late as the last. */
export interface StartTurns {
  /** Resolves when it is the Pod's turn, or when the signal is aborted, with a function that ends the turn; it may be called again. */
  take(signal: AbortSignal): Promise<() => void>;
}

interface StartTurnsOptions {
  readonly clock: Clock;
  /** Turns at a time. */
  readonly count: number;
}

/** A start uses the processor only for a moment; one that takes longer waits for something, and others need not wait for it. */
const maxTurnMs = 10_000;

export function createStartTurns({ clock, count }: StartTurnsOptions): StartTurns {
  const waiting: (() => void)[] = [];
  let taken = 0;
  const begin = () => {
    taken++;
    let timer: Timer | undefined;
    const end = () => {
      if (timer === undefined) return;
      timer.cancel();
      timer = undefined;
      taken--;
      waiting.shift()?.();
    };
    timer = clock.setTimer(maxTurnMs, end, { background: true });
    return end;
  };
  return {
    async take(signal) {
      if (taken < count) return begin();
      return new Promise((resolve) => {
        const next = () => {
          signal.removeEventListener('abort', giveUp);
          resolve(begin());
        };
        const giveUp = () => {
          const place = waiting.indexOf(next);
          if (place >= 0) waiting.splice(place, 1);
          resolve(() => undefined);
        };
        if (signal.aborted) return resolve(() => undefined);
        waiting.push(next);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
