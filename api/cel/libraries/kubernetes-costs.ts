import { costOfResult } from '../run/dispatch.ts';
import {
  actualSize,
  listCreationCost,
  ofRegex,
  regexLengthFactor,
  stringTraversalFactor,
  structCreationCost,
  traversal,
} from '../cost/runtime-costs.ts';
import { elementsOf } from './standard/operators.ts';
import type { CELValue, ListValue } from '../types/values.ts';
import { FormatValue } from './formats.ts';
import type { CallCost } from '../declarations.ts';

const one: CallCost = () => 1;
const ofFirst: CallCost = ([a]) => traversal(actualSize(a));
const twiceOfFirst: CallCost = ([a]) => traversal(actualSize(a) * 2);

/** Reading all of a value, elements and all. */
function wholeTraversal(value: CELValue): number {
  if (typeof value === 'string') return Math.floor(utf8Size(value) * stringTraversalFactor);
  if (value instanceof Uint8Array) return Math.floor(value.length * stringTraversalFactor);
  if (typeof value !== 'object' || value === null) return 1;
  if (value.kind === 'list') return elementsOf(value).reduce<number>((sum, element) => sum + wholeTraversal(element), 0);
  if (value.kind === 'map') {
    return value.keys().reduce<number>((sum, key) => sum + wholeTraversal(key) + wholeTraversal(value.find(key) ?? null), 0);
  }
  return 1;
}

const encoder = new TextEncoder();
const utf8Size = (text: string): number => (/^[\0-\x7f]*$/.test(text) ? text.length : encoder.encode(text).length);

const ofWhole: CallCost = ([a]) => (a === undefined ? 0 : wholeTraversal(a));

/** A selector becomes a list of requirements, the shortest of which is two characters long. */
function selectorCost(length: number): number {
  const perRequirement = listCreationCost + structCreationCost;
  return listCreationCost + traversal(length) + Math.ceil(Math.ceil(length * 0.5) * perRequirement);
}

const ofSelector: CallCost = ([, text]) => selectorCost(actualSize(text));

const ofContainsIP =
  (isText: boolean): CallCost =>
  ([cidr, other]) =>
    traversal(actualSize(cidr) * 2) + (isText ? traversal(actualSize(other)) : 0);

const ofContainsCIDR =
  (isText: boolean): CallCost =>
  ([cidr, other]) =>
    traversal(actualSize(cidr) * 2) + traversal(actualSize(cidr)) + 1 + (isText ? traversal(actualSize(other)) : 0);

const ofValidation: CallCost = ([format, text]) =>
  format instanceof FormatValue ? traversal(1 + actualSize(text)) * traversal(format.regexSize, regexLengthFactor) : 1;

/** The cost of a call that makes a list: the call, the list, and its elements. */
export const listCallCost = 1 + listCreationCost;

const makesList =
  (size: (args: readonly CELValue[]) => number): CallCost =>
  (args) =>
    Math.floor(size(args)) + listCallCost;

const numberOf = (value: CELValue | undefined): number => (typeof value === 'bigint' ? Math.max(0, Number(value)) : 0);

/** Every element with every other; strings and bytes take longer. */
function selfComparison(list: CELValue | undefined): number {
  const size = actualSize(list);
  const first = isList(list) && size > 0 ? list.get(0) : null;
  const factor = typeof first === 'string' || first instanceof Uint8Array ? 2 + stringTraversalFactor : 2;
  return size * size * factor;
}

function isList(value: CELValue | undefined): value is ListValue {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === 'list';
}

const everyPair =
  (factor: number): CallCost =>
  ([a, b]) =>
    1 + actualSize(a) * actualSize(b) * factor;

function each(names: string, cost: CallCost): [string, CallCost][] {
  return names.split(' ').map((name) => [name, cost]);
}

/** An authorization check: two of them are as much as an expression may cost. */
export const authorizationCheckCost = 350_000;

/** Kubernetes' own values are compared at once. */
const ofEquality: CallCost = ([a, b]) => {
  const isOpaque = typeof a === 'object' && a !== null && !(a instanceof Uint8Array) && a.kind === 'opaque';
  return isOpaque ? 1 : traversal(Math.min(actualSize(a), actualSize(b)));
};

const costs: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['_==_', ofEquality],
  ['check', () => authorizationCheckCost],
  ...each('serviceAccount path group resource subresource namespace name allowed reason error errored', one),
  ...each('fieldSelector labelSelector', ofSelector),
  ...each('isSorted sum max min indexOf lastIndexOf', ofWhole),
  ...each('url lowerAscii upperAscii substring trim jsonpatch.escapeKey', ofFirst),
  ...each('replace split', twiceOfFirst),
  ['join', costOfResult((_args, result) => traversal(actualSize(result) * 2))],
  ...each('find findAll', ofRegex),
  ...each('cidr isIP isCIDR ip quantity isQuantity', ofFirst),
  ['ip.isCanonical', twiceOfFirst],
  ...each('masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast', one),
  ['validate', ofValidation],
  ['format.named', one],
  ...each('sets.contains sets.intersects', everyPair(1)),
  ['sets.equivalent', everyPair(2)],
  ['lists.range', makesList(([end]) => numberOf(end))],
  ['slice', makesList(([, start, end]) => Math.max(0, numberOf(end) - numberOf(start)))],
  ['flatten', makesList(([list, depth]) => actualSize(list) * (depth === undefined ? 1 : numberOf(depth)))],
  ['reverse', makesList(([list]) => actualSize(list))],
  ['distinct', makesList(([list]) => selfComparison(list))],
  ['sort', makesList(([list]) => selfComparison(list))],
  ['@sortByAssociatedKeys', makesList(([, keys]) => selfComparison(keys))],
  ...each('sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub', one),
  ...each('getScheme getHostname getHost getPort getEscapedPath getQuery', one),
]);

const byOverload: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['cidr_ip', one],
  ['cidr_contains_ip_string', ofContainsIP(true)],
  ['cidr_contains_ip_ip', ofContainsIP(false)],
  ['cidr_contains_cidr_string', ofContainsCIDR(true)],
  ['cidr_contains_cidr', ofContainsCIDR(false)],
]);

/** Kubernetes' charges for calls; undefined: CEL's own charge holds. */
export function kubernetesCallCost(name: string, overloadID: string | undefined): CallCost | undefined {
  return (overloadID === undefined ? undefined : byOverload.get(overloadID)) ?? costs.get(name);
}
