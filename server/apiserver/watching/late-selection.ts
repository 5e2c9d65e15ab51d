import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { WatchStep } from './watch-step.ts';

/**
 * Selects events by what objects are after their conversion. An object that begins or ceases to match is added or deleted for
 * the client; of one that it may have been shown before the watch began, it is told in any case.
 */
export function createLateSelection(matches: (object: CachedObject) => boolean): (steps: readonly WatchStep[]) => WatchStep[] {
  const known = new Map<string, boolean>();
  const select = (step: WatchStep): WatchStep | undefined => {
    if (!('object' in step)) return step;
    const { type, object } = step;
    const key = `${object.namespace}/${object.name}`;
    const before = known.get(key);
    const now = matches(object);
    if (type === 'DELETED') {
      known.delete(key);
      return now || before === true ? step : undefined;
    }
    known.set(key, now);
    if (now) return { ...step, type: before === true ? 'MODIFIED' : before === false ? 'ADDED' : type };
    return before === true || (before === undefined && type === 'MODIFIED') ? { ...step, type: 'DELETED' } : undefined;
  };
  return (steps) => steps.flatMap((step) => select(step) ?? []);
}
