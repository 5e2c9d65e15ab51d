import { type Clock, sleep } from '../base/clock.ts';

/**
 * Calls a function repeatedly until its result is neither undefined nor false, and returns it. Throws after `withinSeconds`, naming `what`.
 * For tests and start-up; controllers follow watches instead.
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly withinSeconds: number; readonly everyMs?: number; readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<T> {
  const deadline = options.clock.monotonicMs() + options.withinSeconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (options.clock.monotonicMs() >= deadline) throw new Error(`${what}: not within ${options.withinSeconds} s`);
    await sleep(options.clock, options.everyMs ?? 50, options.signal);
  }
}
