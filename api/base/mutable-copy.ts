import type { DeepReadonly } from './deep-readonly.ts';
import { cloneJSON } from './json-object.ts';

/** A deep copy of a JSON value that must not be modified, to be modified. */
export function mutableCopy<T>(value: DeepReadonly<T>): T {
  return cloneJSON(value) as T;
}
