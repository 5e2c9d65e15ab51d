import type { DeepReadonly } from './deep-readonly.ts';

/** A deep copy of what must not be modified, to be modified. */
export function mutableCopy<T>(value: DeepReadonly<T>): T {
  return structuredClone(value) as T;
}
