import { getOwn, setOwn } from '../base/json-object.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { elementOf, elementSchema, isAtomicList, isAtomicMap, isMap, memberSchemaOrUntyped, shapeOf } from './typed-schema.ts';

/** The live value with the applied configuration merged in. Shares unchanged parts with its arguments and modifies neither. */
export function mergeValues(schema: StructuralSchema, live: unknown, applied: unknown): unknown {
  if (applied === undefined || live === applied) return live;
  if (live === undefined || live === null) return applied;
  const shape = shapeOf(schema, live);
  if (shape === 'scalar' || shape !== shapeOf(schema, applied)) return applied;
  if (isMap(live)) {
    if (isAtomicMap(schema)) return applied;
    if (isMap(applied)) return mergeMaps(schema, live, applied);
    return Object.keys(live).length === 0 ? applied : live;
  }
  if (!Array.isArray(live) || isAtomicList(schema) || live.length === 0) return applied;
  return Array.isArray(applied) && applied.length > 0 ? mergeLists(schema, live, applied) : live;
}

function mergeMaps(
  schema: StructuralSchema,
  live: Readonly<Record<string, unknown>>,
  applied: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = { ...live };
  for (const key of Object.keys(applied)) {
    setOwn(merged, key, mergeValues(memberSchemaOrUntyped(schema, key), getOwn(merged, key), applied[key]));
  }
  return merged;
}

interface Identified {
  readonly element: string;
  readonly value: unknown;
}

function identify(schema: StructuralSchema, list: readonly unknown[]): Identified[] {
  return list.map((value) => ({ element: elementOf(schema, value), value }));
}

/**
 * Merges sets and map lists. Elements of the configuration keep its order; other live elements stay between the same neighbours where that
 * is possible.
 */
function mergeLists(schema: StructuralSchema, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const left = identify(schema, live);
  const right = identify(schema, applied);
  const inLive = new Map<string, unknown>();
  // Several live elements with equal keys are replaced by the one applied element.
  for (const { element, value } of left) inLive.set(element, inLive.has(element) ? undefined : value);
  const inApplied = new Set(right.map(({ element }) => element));
  const shared = right.map(({ element }) => element).filter((element) => inLive.has(element));
  const merged: unknown[] = [];
  let next = 0;
  let l = 0;
  for (const { element, value } of right) {
    // Takes the live elements up to the next one that both lists have.
    while (l < left.length) {
      const candidate = left[l];
      if (candidate === undefined || candidate.element === element) break;
      const isShared = inApplied.has(candidate.element);
      if (isShared && candidate.element === shared[next]) break;
      if (!isShared) merged.push(candidate.value);
      l++;
    }
    if (left[l]?.element === element) l++;
    merged.push(mergeValues(elementSchema(schema), inLive.get(element), value));
    if (shared[next] === element) next++;
  }
  for (; l < left.length; l++) {
    const rest = left[l];
    if (rest !== undefined && !inApplied.has(rest.element)) merged.push(rest.value);
  }
  return merged;
}
