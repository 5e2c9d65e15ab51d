import type { Clock } from '../api/base/clock.ts';

/**
 * Settles as `running` does, but no later than `patienceMs` after the signal was aborted: then with false. A part that hangs must not keep
 * the others from ending.
 */
export async function endInTime(running: Promise<unknown>, signal: AbortSignal, patienceMs: () => number, clock: Clock): Promise<boolean> {
  const late = new Promise<false>((resolve) => {
    const begin = () => void clock.setTimer(patienceMs(), () => resolve(false), { background: true });
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true });
  });
  return await Promise.race([running.then(() => true), late]);
}
