import { isEqual } from '../base/equality.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { emptySet, type FieldSet, leaf, recursiveDifference, sortNode, union } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import {
  comparePlaces,
  elementOrIndex,
  elementSchema,
  isAtomicList,
  isAtomicMap,
  isMap,
  type MemberPlace,
  memberSchemaOrUntyped,
  placeOf,
  shapeOf,
} from './typed-schema.ts';

/** How an object has changed; no path is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** The changes below one value. Only sets that are not empty are present. */
interface Changes {
  added?: FieldSet | undefined;
  modified?: FieldSet | undefined;
  removed?: FieldSet | undefined;
}

type Builder = { [element: string]: FieldSet };

/** Metadata fields that the server sets and no manager owns. They are not compared. */
const unownedMetadata: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);

/** Compares two whole objects; undefined if nothing that can be owned differs. Neither `ignored` fields nor those below are looked at. */
export function compareObjects(
  schema: StructuralSchema,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  ignored: FieldSet = emptySet,
): Comparison | undefined {
  const collected = new Collector();
  for (const key of Object.keys({ ...before, ...after })) {
    if (key === 'apiVersion' || key === 'kind') continue;
    const changes =
      key === 'metadata'
        ? compareMetadata(memberSchemaOrUntyped(schema, key), before[key] ?? {}, after[key] ?? {})
        : compareValues(memberSchemaOrUntyped(schema, key), before[key], after[key]);
    if (changes !== undefined) collected.add(fieldElement(key), changes);
  }
  const changes = collected.changes;
  if (changes === undefined) return undefined;
  const without = (set: FieldSet | undefined) => (set === undefined ? emptySet : recursiveDifference(set, ignored));
  return { added: without(changes.added), modified: without(changes.modified), removed: without(changes.removed) };
}

function compareMetadata(schema: StructuralSchema, before: unknown, after: unknown): Changes | undefined {
  if (!isMap(before) || !isMap(after)) return compareValues(schema, before, after);
  const collected = new Collector();
  compareMembers(schema, before, after, collected, unownedMetadata);
  return collected.changes;
}

class Collector {
  changes: Changes | undefined;

  add(element: string, { added, modified, removed }: Changes): void {
    const changes = (this.changes ??= {});
    if (added !== undefined) ((changes.added ??= {}) as Builder)[element] = added;
    if (modified !== undefined) ((changes.modified ??= {}) as Builder)[element] = modified;
    if (removed !== undefined) ((changes.removed ??= {}) as Builder)[element] = removed;
  }
}

const modifiedLeaf: Changes = { modified: leaf };

/** `undefined` means absent, which null is not. */
function compareValues(schema: StructuralSchema, before: unknown, after: unknown): Changes | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: everythingIn(schema, after) };
  if (after === undefined) return { removed: everythingIn(schema, before) };
  const shape = shapeOf(schema, before === null ? after : before);
  if (shape !== shapeOf(schema, after === null ? before : after))
    return { ...compareValues(schema, before, undefined), ...compareValues(schema, undefined, after) };
  if (shape === 'map') {
    if (isAtomicMap(schema) || (isEmptyMap(before) && isEmptyMap(after))) return isEqual(before, after) ? undefined : modifiedLeaf;
    const collected = new Collector();
    compareMembers(schema, isMap(before) ? before : {}, isMap(after) ? after : {}, collected);
    return collected.changes;
  }
  if (shape === 'list') {
    const [left, right] = [Array.isArray(before) ? before : [], Array.isArray(after) ? after : []];
    if (isAtomicList(schema) || left.length + right.length === 0) return isEqual(before, after) ? undefined : modifiedLeaf;
    return compareElements(schema, left, right);
  }
  return isEqual(before, after) ? undefined : modifiedLeaf;
}

function isEmptyMap(value: unknown): boolean {
  if (isMap(value)) for (const _ in value) return false;
  return true;
}

function compareMembers(
  schema: StructuralSchema,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  collected: Collector,
  skipped?: ReadonlySet<string>,
): void {
  for (const key in after) {
    const right = after[key];
    const left = Object.hasOwn(before, key) ? before[key] : undefined;
    if (left === right || skipped?.has(key)) continue;
    const changes = compareValues(memberSchemaOrUntyped(schema, key), left, right);
    if (changes !== undefined) collected.add(fieldElement(key), changes);
  }
  for (const key in before) {
    const left = before[key];
    if (left === undefined || Object.hasOwn(after, key) || skipped?.has(key)) continue;
    collected.add(fieldElement(key), { removed: everythingIn(memberSchemaOrUntyped(schema, key), left) });
  }
}

/** The elements of a list by their identity. Elements with equal identity are compared as one. */
function indexElements(schema: StructuralSchema, list: readonly unknown[]): Map<string, unknown[]> {
  const index = new Map<string, unknown[]>();
  for (let place = 0; place < list.length; place++) {
    const element = elementOrIndex(schema, list[place], place);
    const same = index.get(element);
    if (same === undefined) index.set(element, [list[place]]);
    else same.push(list[place]);
  }
  return index;
}

function compareElements(schema: StructuralSchema, before: readonly unknown[], after: readonly unknown[]): Changes | undefined {
  if (isEqual(before, after)) return undefined;
  const left = indexElements(schema, before);
  const right = indexElements(schema, after);
  const collected = new Collector();
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const changes = compareSame(elementSchema(schema), left.get(element) ?? [], right.get(element) ?? []);
    if (changes !== undefined) collected.add(element, changes);
  }
  return collected.changes;
}

function compareSame(schema: StructuralSchema, before: readonly unknown[], after: readonly unknown[]): Changes | undefined {
  if (before.length <= 1 && after.length <= 1) return compareValues(schema, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return isEqual(before, after) ? undefined : modifiedLeaf;
  const single = compareValues(schema, before.length > 1 ? undefined : before[0], after.length > 1 ? undefined : after[0]) ?? {};
  const mark = (set: FieldSet | undefined) => (set === undefined || set === leaf ? leaf : union(set, { '.': leaf }));
  return before.length > 1 ? { ...single, removed: mark(single.removed) } : { ...single, added: mark(single.added) };
}

const fewMembers = 32;

/** The indexes in canonical order. Written for the usual case of few elements, without the cost of a general sort. */
function orderOf(places: readonly MemberPlace[]): readonly number[] {
  const order = places.map((_, index) => index);
  const compare = (a: number, b: number) => {
    const [left, right] = [places[a], places[b]];
    return left === undefined || right === undefined ? 0 : comparePlaces(left, right);
  };
  if (order.length > fewMembers) return order.sort(compare);
  for (let index = 1; index < order.length; index++) {
    const own = order[index] ?? 0;
    let to = index;
    for (; to > 0 && compare(order[to - 1] ?? 0, own) > 0; to--) order[to] = order[to - 1] ?? 0;
    order[to] = own;
  }
  return order;
}

/** Every path in a value that was added or removed as a whole, also the maps and lists themselves; in canonical order. */
function everythingIn(schema: StructuralSchema, value: unknown): FieldSet {
  if (typeof value !== 'object') return leaf;
  const shape = shapeOf(schema, value);
  if (shape === 'map' && isMap(value) && !isAtomicMap(schema)) {
    const places: MemberPlace[] = [];
    const members: unknown[] = [];
    for (const key in value) {
      if (value[key] === undefined) continue;
      places.push(placeOf(schema, key));
      members.push(value[key]);
    }
    if (places.length === 0) return leaf;
    const set: Builder = { '.': leaf };
    for (const index of orderOf(places)) {
      const place = places[index];
      if (place !== undefined) set[place.element] = everythingIn(place.schema, members[index]);
    }
    return set;
  }
  if (shape === 'list' && Array.isArray(value) && value.length > 0 && !isAtomicList(schema)) {
    const set: Builder = { '.': leaf };
    for (let index = 0; index < value.length; index++) {
      const element = elementOrIndex(schema, value[index], index);
      set[element] = set[element] === undefined ? everythingIn(elementSchema(schema), value[index]) : leaf;
    }
    return sortNode(set);
  }
  return leaf;
}
