import type { Clock } from './clock.ts';

/** The machine's clock. Only composition roots and tests may take it; everything else is given a Clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fire, options) {
    const handle = setTimeout(fire, Math.max(0, Math.min(delayMs, 2_147_483_647)));
    if (options?.background) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
