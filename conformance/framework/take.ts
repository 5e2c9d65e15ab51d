import { systemClock } from '../../api/base/system-clock.ts';
import { take as takeWith } from '../../api/client/take.ts';

/** The first `count` values of a source, e.g. the events of a watch, which is ended then; throws if they do not come in time. */
export function take<T>(count: number, source: AsyncIterable<T>, options: { readonly withinSeconds: number }): Promise<T[]> {
  return takeWith(count, source, { ...options, clock: systemClock });
}
