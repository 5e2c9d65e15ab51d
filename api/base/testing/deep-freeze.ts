import type { DeepReadonly } from '../deep-readonly.ts';

/** Freezes a JSON value with everything in it and returns it; for values that many readers share. */
export function deepFreeze<T>(value: T): DeepReadonly<T> {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value as DeepReadonly<T>;
}
