import type { Closure } from './frame.ts';
import { type CELValue, mapKey } from '../types/values.ts';

/**
 * `value in [literals]` as a look-up, which costs nothing (nor is the value evaluated where the list is empty); undefined where the list has elements that are not found by
 * key.
 */
export function compileMembership(value: Closure, list: CELValue): Closure | undefined {
  if (typeof list !== 'object' || list === null || list instanceof Uint8Array || list.kind !== 'list') return undefined;
  if (list.size === 0) return () => false;
  const members = new Set<string | bigint | boolean>();
  for (let at = 0; at < list.size; at++) {
    const element = list.get(at);
    const key = typeof element === 'number' ? undefined : mapKey(element);
    if (key === undefined) return undefined;
    members.add(key);
  }
  return (frame) => {
    const key = mapKey(value(frame));
    return key !== undefined && members.has(key);
  };
}
