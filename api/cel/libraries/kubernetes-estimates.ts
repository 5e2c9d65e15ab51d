import { estimateRegex } from '../cost/estimate.ts';
import { exactly, mostCost, oneRange, productRange, type Range, scaleRange, sumRange, unbounded, unionRange } from '../cost/ranges.ts';
import { regexLengthFactor, stringTraversalFactor } from '../cost/runtime-costs.ts';
import { authorizationCheckCost, listCallCost } from './kubernetes-costs.ts';
import type { CallEstimate, EstimateCall, EstimatedPart } from '../declarations.ts';

type Estimate = (parts: readonly EstimatedPart[], id: string) => CallEstimate | undefined;

const sizeAt = (parts: readonly EstimatedPart[], index: number): Range => parts[index]?.size ?? unbounded;
const traverse = (size: Range, times = 1): Range => scaleRange(size, times * stringTraversalFactor);
const one: Estimate = () => ({ cost: oneRange });
const ofFirst: Estimate = (parts) => ({ cost: traverse(sizeAt(parts, 0)) });
const ofFirstSameSize: Estimate = (parts) => ({ cost: traverse(sizeAt(parts, 0)), size: sizeAt(parts, 0) });

/** The longest a format's regular expression is taken to be, and the longest a format's name. */
const maxFormatRegexSize = 128;
const maxFormatSize = 64;
/** An address of either family, in bytes. */
const addressSize: Range = { min: 4, max: 16 };

/** The cost of visiting each element once; for strings and bytes also of comparing them. A string argument is traversed itself. */
const ofElements: Estimate = ([list]) => {
  if (list === undefined) return undefined;
  const [element] = list.type.params;
  if (element === undefined) return { cost: traverse(list.size) };
  const each = element.kind === 'string' || element.kind === 'bytes' ? sumRange(oneRange, traverse(list.elementSize)) : oneRange;
  return { cost: productRange(list.size, each) };
};

const ofReplace: Estimate = (parts) => {
  const [text, old, fresh] = [sizeAt(parts, 0), sizeAt(parts, 1), sizeAt(parts, 2)];
  const longest = mostReplaced(text.max, old.min, fresh.max <= old.min);
  const shortest = mostReplaced(text.min, old.max, old.max <= fresh.min);
  const size = {
    min: sumRange(exactly(shortest.kept), productRange(exactly(shortest.count), exactly(fresh.min))).max,
    max: sumRange(exactly(longest.kept), productRange(exactly(longest.count), exactly(fresh.max))).max,
  };
  return { cost: traverse(text, 2), size };
};

/** How often a part of `old` characters is in `length` characters at most, and how many of them stay. */
function mostReplaced(length: number, old: number, isNoLonger: boolean): { count: number; kept: number } {
  if (old === 0) return { count: length + 1, kept: length };
  if (isNoLonger) return { count: 0, kept: length };
  return { count: Math.ceil(length / old), kept: 0 };
}

const ofSplit: Estimate = (parts) => {
  const text = sizeAt(parts, 0);
  const limit = parts[2]?.expr;
  const max = limit?.kind === 'const' && typeof limit.value === 'bigint' && limit.value >= 0n ? Number(limit.value) : text.max;
  return { cost: traverse(text, 2), size: { min: 0, max } };
};

const ofJoin: Estimate = (parts) => {
  const [list] = parts;
  if (list === undefined) return undefined;
  const separators = { min: Math.max(0, list.size.min - 1), max: Math.max(0, list.size.max - 1) };
  const elements = productRange(list.size, list.elementSize);
  const size = parts.length > 1 ? sumRange(elements, productRange(sizeAt(parts, 1), separators)) : elements;
  return { cost: traverse(size), size };
};

const ofFind: Estimate = (parts) => ({
  cost: estimateRegex(sizeAt(parts, 0), sizeAt(parts, 1)),
  size: { min: 0, max: sizeAt(parts, 0).max },
});

const contained =
  (more: Range): Estimate =>
  (parts, id) => {
    const compared = sumRange(traverse(sumRange(addressSize, addressSize)), more);
    return { cost: id.endsWith('_string') ? sumRange(compared, traverse(sizeAt(parts, 1))) : compared };
  };

const ofValidation: Estimate = (parts) => ({
  cost: scaleRange(traverse(sizeAt(parts, 1)), maxFormatRegexSize * regexLengthFactor),
});

const ofSelector: Estimate = (parts) => {
  const length = sizeAt(parts, 1);
  const requirements = scaleRange(scaleRange(length, 0.5), 50);
  return { cost: [traverse(length), requirements].reduce(sumRange, exactly(10)) };
};

const everyPair =
  (factor: number): Estimate =>
  (parts) => ({ cost: sumRange(oneRange, scaleRange(productRange(sizeAt(parts, 0), sizeAt(parts, 1)), factor)) });

const makesList = (work: Range, size: Range): CallEstimate => ({ cost: sumRange(work, exactly(listCallCost)), size });

/** Every element of the list of those keys with every other. */
function sorting(list: EstimatedPart | undefined, keys: EstimatedPart | undefined): CallEstimate {
  const size = keys?.size ?? unbounded;
  const kind = keys?.type.params[0]?.kind;
  const factor = kind === 'string' || kind === 'bytes' ? 2 + stringTraversalFactor : 2;
  return makesList(scaleRange(productRange(size, size), factor), list?.size ?? unbounded);
}

/** The value of a number literal; other numbers are unbounded. */
function literalNumber(part: EstimatedPart | undefined): number | undefined {
  return part?.expr.kind === 'const' && typeof part.expr.value === 'bigint' ? Math.max(0, Number(part.expr.value)) : undefined;
}

const ofRange: Estimate = ([end]) => {
  const literal = literalNumber(end);
  const size = literal === undefined ? unbounded : exactly(literal);
  return makesList(size, size);
};

const ofSlice: Estimate = ([list, start, end]) => {
  const most = Math.min(list?.size.max ?? mostCost, (literalNumber(end) ?? mostCost) - (literalNumber(start) ?? 0));
  const size = { min: 0, max: Math.max(0, most) };
  return makesList(size, size);
};

const ofFlatten: Estimate = (parts) => {
  const depth = parts.length < 2 ? 1 : (literalNumber(parts[1]) ?? mostCost);
  const size = productRange(sizeAt(parts, 0), exactly(depth));
  return makesList(size, { min: size.min, max: mostCost });
};

/** Kubernetes' own values are compared at once, whatever they are. */
const ofEquality: Estimate = ([left, right]) => {
  if (left === undefined || right === undefined || left.type.name !== right.type.name) return undefined;
  const { name, kind } = left.type;
  if (kind === 'opaque') return name === 'net.IP' || name === 'net.CIDR' ? { cost: oneRange } : undefined;
  if (name === 'kubernetes.NamedFormat') return { cost: traverse({ min: 1, max: maxFormatSize }) };
  if (name === 'kubernetes.URL') return { cost: traverse({ min: 1, max: unionRange(left.size, right.size).max }) };
  if (name === 'kubernetes.Quantity' || name === 'kubernetes.Semver' || name.startsWith('kubernetes.authorization.'))
    return { cost: oneRange };
  return undefined;
};

const each = (names: string, estimate: Estimate): [string, Estimate][] => names.split(' ').map((name) => [name, estimate]);

const estimates: ReadonlyMap<string, Estimate> = new Map<string, Estimate>([
  ['check', () => ({ cost: exactly(authorizationCheckCost) })],
  ...each('serviceAccount path group resource subresource namespace name allowed reason error errored', one),
  ...each('fieldSelector labelSelector', ofSelector),
  ...each('isSorted sum max min indexOf lastIndexOf', ofElements),
  ...each('url jsonpatch.escapeKey lowerAscii upperAscii substring trim', ofFirstSameSize),
  ['replace', ofReplace],
  ['split', ofSplit],
  ['join', ofJoin],
  ...each('find findAll', ofFind),
  ...each('cidr isIP isCIDR quantity isQuantity', ofFirst),
  ['ip', (parts, id) => (id === 'cidr_ip' ? { cost: oneRange } : ofFirst(parts, id))],
  ['ip.isCanonical', (parts) => ({ cost: traverse(sizeAt(parts, 0), 2) })],
  ...each('masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast', one),
  ['containsIP', contained(exactly(0))],
  ['containsCIDR', contained(sumRange(traverse(addressSize), oneRange))],
  ['validate', ofValidation],
  ['format.named', one],
  ...each('sets.contains sets.intersects', everyPair(1)),
  ['sets.equivalent', everyPair(2)],
  ['lists.range', ofRange],
  ['slice', ofSlice],
  ['flatten', ofFlatten],
  ['reverse', (parts) => makesList(sizeAt(parts, 0), sizeAt(parts, 0))],
  ...each('distinct sort', ([list]) => sorting(list, list)),
  ['@sortByAssociatedKeys', ([list, keys]) => sorting(list, keys)],
  ...each('sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub', one),
  ...each('getScheme getHostname getHost getPort getEscapedPath getQuery', one),
  ['_==_', ofEquality],
]);

/** Kubernetes' estimates of calls; undefined: CEL's own estimate holds. */
export const estimateKubernetesCall: EstimateCall = (name, id, parts) => estimates.get(name)?.(parts, id);
