import type { Clock } from '../base/clock.ts';

/** The first `count` values; ends the iteration. Throws when they have not come within the time or the source has ended. */
export async function take<T>(
  count: number,
  source: AsyncIterable<T>,
  options: { readonly withinSeconds: number; readonly clock: Clock },
): Promise<T[]> {
  const taken: T[] = [];
  const iterator = source[Symbol.asyncIterator]();
  const expired = Promise.withResolvers<never>();
  const fail = () => expired.reject(new Error(`got ${taken.length} of ${count} within ${options.withinSeconds} s`));
  const timer = options.clock.setTimer(options.withinSeconds * 1000, fail);
  try {
    while (taken.length < count) {
      const next = await Promise.race([iterator.next(), expired.promise]);
      if (next.done) throw new Error(`the source ended after ${taken.length} of ${count}`);
      taken.push(next.value);
    }
    return taken;
  } finally {
    timer.cancel();
    // Not awaited: a source that never answered would hold the caller here.
    iterator.return?.().catch(() => undefined);
  }
}
