import type { CachedObject } from '../../storage/watch-cache/watch-cache.ts';
import type { WatchStep } from './watch-step.ts';

/**
 * Selects events by the objects after their conversion. An object that begins or ceases to match is added or deleted for the client; the
 * deletion of an object that the client may have seen before the watch began is always sent.
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
