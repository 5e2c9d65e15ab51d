import type { CELValue } from '../types/values.ts';
import { codePointLength } from '../types/code-points.ts';
import type { CallCost } from '../declarations.ts';

/** The cost of reading one character of a string. An operation of fixed size costs 1. */
export const stringTraversalFactor = 0.1;
/** The cost of one character of a regular expression. */
export const regexLengthFactor = 0.25;
export const listCreationCost = 10;
export const mapCreationCost = 30;
export const structCreationCost = 40;
/** Kubernetes' cost limit for one evaluation of an expression. */
export const perCallCostLimit = 1_000_000;

/** The size of a value in code points, bytes, elements or entries; 1 for a value without a size. */
export function actualSize(value: CELValue | undefined): number {
  if (typeof value === 'string') return codePointLength(value);
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  if (value.kind === 'list' || value.kind === 'map') return value.size;
  return value.kind === 'opaque' ? (value.costSize ?? 1) : 1;
}

export const traversal = (size: number, factor = stringTraversalFactor): number => Math.ceil(size * factor);

const ofFirst: CallCost = ([a]) => traversal(actualSize(a));
const ofSmaller: CallCost = ([a, b]) => traversal(Math.min(actualSize(a), actualSize(b)));
const ofBoth: CallCost = ([a, b]) => traversal(actualSize(a) + actualSize(b));
export const ofRegex: CallCost = ([text, pattern]) => traversal(1 + actualSize(text)) * traversal(actualSize(pattern), regexLengthFactor);

/** CEL's own charges by overload. */
const standardCosts: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['starts_with_string', ofFirst],
  ['ends_with_string', ofFirst],
  ['string_to_bytes', ofFirst],
  ['bytes_to_string', ofFirst],
  ['strings_quote', ofFirst],
  ['string_format', ofFirst],
  ['in_list', ([_value, list]) => actualSize(list)],
  ...['less', 'greater', 'less_equals', 'greater_equals'].flatMap((name): [string, CallCost][] => [
    [`${name}_string`, ofSmaller],
    [`${name}_bytes`, ofSmaller],
  ]),
  ['equals', ofSmaller],
  ['not_equals', ofSmaller],
  ['add_string', ofBoth],
  ['add_bytes', ofBoth],
  ['matches_string', ofRegex],
  ['contains_string', ([text, part]) => traversal(actualSize(text)) * traversal(actualSize(part))],
]);

/** Undefined: 1. */
export function standardCost(overloadID: string): CallCost | undefined {
  return standardCosts.get(overloadID);
}
