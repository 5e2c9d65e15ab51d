import { systemClock } from '../../api/base/system-clock.ts';
import { waitFor as waitForWith } from '../../api/client/wait-for.ts';

/** Asks until the answer is neither undefined nor false, and returns it; throws with `what` after `withinSeconds`. */
export function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly withinSeconds: number; readonly everyMs?: number },
): Promise<T> {
  return waitForWith(what, ask, { everyMs: 250, ...options, clock: systemClock });
}
