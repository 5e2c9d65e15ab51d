import { comparePathElements, type PathElement, parsePathElement } from './path-element.ts';

/**
 * A set of field paths, as a tree: the very value that stands in `fieldsV1`. A node without members is itself in the set
 * and has nothing below; `.` marks a node that is in the set and has something below; the root is never in the set.
 * Sets are immutable: operations share what they do not change and return their argument where nothing changes.
 */
export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
}

type MutableFieldSet = { [element: PathElement]: FieldSet };

export const emptySet: FieldSet = Object.freeze({});
/** A node that is in the set, with nothing below it. */
export const leaf: FieldSet = emptySet;

/** For a root. */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

function isLeaf(node: FieldSet): boolean {
  return isEmptySet(node);
}

/** Whether a node that is not the root is itself in the set. */
export function isMember(node: FieldSet): boolean {
  return node['.'] !== undefined || isLeaf(node);
}

/** A node with `children`, itself in the set or not; undefined if there would be nothing in it. */
function makeNode(member: boolean, children: FieldSet): FieldSet | undefined {
  if (isEmptySet(children)) return member ? leaf : undefined;
  return member ? { '.': leaf, ...children } : children;
}

function childrenOf(node: FieldSet): FieldSet {
  if (node['.'] === undefined) return node;
  const { '.': _, ...children } = node;
  return children;
}

/** The set of those paths, each a list of path elements. */
export function fieldSetOf(...paths: readonly (readonly PathElement[])[]): FieldSet {
  let set = emptySet;
  for (const path of paths)
    set = union(
      set,
      path.reduceRight<FieldSet>((node, element) => ({ [element]: node }), leaf),
    );
  return set;
}

/** The members of `a` or `b`; in canonical order if `a` is. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  let merged: MutableFieldSet | undefined;
  let isNew = false;
  for (const element in b) {
    const theirs = b[element] ?? leaf;
    const ours = a[element];
    const both = ours === undefined ? theirs : unionOfNodes(ours, theirs);
    if (both === ours) continue;
    merged ??= { ...a };
    merged[element] = both;
    isNew ||= ours === undefined;
  }
  if (merged === undefined) return a;
  return isNew ? sortSet(merged) : merged;
}

/** The members of any of the sets. Halves are joined first, so that no element is copied as often as there are sets. */
export function unionOf(sets: readonly FieldSet[]): FieldSet {
  if (sets.length <= 2) return union(sets[0] ?? emptySet, sets[1] ?? emptySet);
  const half = sets.length >> 1;
  return union(unionOf(sets.slice(0, half)), unionOf(sets.slice(half)));
}

function unionOfNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isLeaf(a)) return isLeaf(b) ? a : b['.'] === undefined ? { '.': leaf, ...b } : b;
  if (isLeaf(b)) return a['.'] === undefined ? { '.': leaf, ...a } : a;
  return union(a, b);
}

/** The members of both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const common: MutableFieldSet = {};
  for (const element in a) {
    const [ours, theirs] = [a[element], b[element]];
    if (element === '.' || ours === undefined || theirs === undefined) continue;
    const node = makeNode(isMember(ours) && isMember(theirs), intersection(ours, theirs));
    if (node !== undefined) common[element] = node;
  }
  return common;
}

/** The members of `a` that are not in `b`. When a field is removed, the fields below it stay. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, differenceOfNodes);
}

/** The members of `a` that are neither in `b` nor below a member of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, (ours, theirs) => (isMember(theirs) ? undefined : rebuild(ours, recursiveDifference(ours, theirs))));
}

function subtract(a: FieldSet, b: FieldSet, subtractNode: (a: FieldSet, b: FieldSet) => FieldSet | undefined): FieldSet {
  let rest: MutableFieldSet | undefined;
  // Mostly `b` is a small change and `a` is all that a manager owns.
  for (const element in b) {
    const ours = a[element];
    if (element === '.' || ours === undefined) continue;
    const node = subtractNode(ours, b[element] ?? leaf);
    if (node === ours) continue;
    rest ??= { ...a };
    if (node === undefined) delete rest[element];
    else rest[element] = node;
  }
  return rest ?? a;
}

function differenceOfNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (isLeaf(a)) return isMember(b) ? undefined : a;
  const below = difference(a, b);
  if (!isMember(b) || a['.'] === undefined) return rebuild(a, below);
  return makeNode(false, childrenOf(below));
}

/** The node `a` with `below` in place of its content; `.` may be all that is left. */
function rebuild(a: FieldSet, below: FieldSet): FieldSet | undefined {
  if (below === a) return a;
  return makeNode(below['.'] !== undefined, childrenOf(below));
}

/** Sorts a node whose own elements may be out of order; the nodes below are in order already. */
export function sortNode(node: FieldSet): FieldSet {
  let previous = '';
  for (const element in node) {
    if (previous !== '' && comparePathElements(previous, element) > 0) return sortOwn(node);
    previous = element;
  }
  return node;
}

function sortOwn(node: FieldSet): FieldSet {
  const elements = Object.keys(node);
  sortElements(elements);
  const ordered: MutableFieldSet = {};
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? '';
    ordered[element] = node[element] ?? leaf;
  }
  return ordered;
}

/** The set with its elements in canonical order; itself if they are. */
export function sortSet(set: FieldSet): FieldSet {
  if (set === leaf) return set;
  let isSorted = true;
  let sortedNodes: Map<PathElement, FieldSet> | undefined;
  let previous = '';
  for (const element in set) {
    if (isSorted && previous !== '') isSorted = comparePathElements(previous, element) < 0;
    previous = element;
    const node = set[element] ?? leaf;
    const sortedNode = sortSet(node);
    if (sortedNode !== node) (sortedNodes ??= new Map()).set(element, sortedNode);
  }
  if (isSorted && sortedNodes === undefined) return set;
  const elements = Object.keys(set);
  if (!isSorted) sortElements(elements);
  const ordered: MutableFieldSet = {};
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index] ?? '';
    ordered[element] = sortedNodes?.get(element) ?? set[element] ?? leaf;
  }
  return ordered;
}

const fewElements = 24;

/** In place; for few elements, as there nearly always are, without the copies that sorting in general takes. */
function sortElements(elements: PathElement[]): void {
  if (elements.length > fewElements) {
    elements.sort(comparePathElements);
    return;
  }
  for (let index = 1; index < elements.length; index++) {
    const element = elements[index] ?? '';
    let to = index;
    for (; to > 0; to--) {
      const before = elements[to - 1] ?? '';
      if (comparePathElements(before, element) <= 0) break;
      elements[to] = before;
    }
    elements[to] = element;
  }
}

/**
 * Reads a set that a client sent; parts in this file's own notation are used as they are. Throws an Error if the value is not a set; drops
 * unknown kinds of path elements.
 */
export function parseFieldSet(value: unknown): FieldSet {
  return sortSet(isFieldSet(value) ? value : readSet(value));
}

/** Whether the value is a set in this file's own notation, except for the order. Throws an Error for a key that is not a path element. */
function isFieldSet(value: unknown): value is FieldSet {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const sent = value as Readonly<Record<string, unknown>>;
  for (const key in sent) {
    const node = sent[key];
    if (key === '.' ? markOf(node) !== node : parsePathElement(key) !== key || !isFieldSet(node)) return false;
  }
  return true;
}

function readSet(value: unknown): FieldSet {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('fields must be an object');
  const sent = value as Readonly<Record<string, unknown>>;
  const set: MutableFieldSet = {};
  for (const key of Object.keys(sent)) {
    const element = key === '.' ? key : parsePathElement(key);
    if (element !== undefined) set[element] = key === '.' ? markOf(sent[key]) : readSet(sent[key]);
  }
  return set;
}

/** An empty set: a client's value for `.` has no content, whatever it is. */
function markOf(sent: unknown): FieldSet {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return leaf;
  for (const _ in sent) return leaf;
  return sent as FieldSet;
}

/** Every path of the set: on each level first the members, then the paths below them. */
export function* pathsOf(set: FieldSet, prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
  for (const element in set) if (element !== '.' && isMember(set[element] ?? leaf)) yield [...prefix, element];
  for (const element in set) if (element !== '.') yield* pathsOf(set[element] ?? leaf, [...prefix, element]);
}

export function hasPath(set: FieldSet, path: readonly PathElement[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return node !== undefined && path.length > 0 && isMember(node);
}
