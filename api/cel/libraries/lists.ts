import { declare, global, member } from './declare.ts';
import { compareValues, equalValues, listContains } from '../run/equality.ts';
import { bindingMacros, type Macro } from '../syntax/macros.ts';
import { checkedDuration, checkedInt, checkedUint, elementsOf } from './standard/operators.ts';
import {
  boolType,
  bytesType,
  type CELType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  stringType,
  timestampType,
  typeParam,
  uintType,
} from '../types/types.ts';
import { type CELValue, DurationValue, Failure, type ListValue, NativeList, noSuchOverload, typeName, UintValue } from '../types/values.ts';
import type { FunctionDeclaration, Library, Overload } from '../declarations.ts';

const a = typeParam('A');
const listOfA = listType(a);

const comparable: readonly (readonly [string, CELType])[] = [
  ['int', intType],
  ['uint', uintType],
  ['double', doubleType],
  ['bool', boolType],
  ['duration', durationType],
  ['timestamp', timestampType],
  ['string', stringType],
  ['bytes', bytesType],
];
const summable: readonly (readonly [string, CELType, CELValue])[] = [
  ['int', intType, 0n],
  ['uint', uintType, new UintValue(0n)],
  ['double', doubleType, 0],
  ['duration', durationType, new DurationValue(0n)],
];

function add(x: CELValue, y: CELValue): CELValue {
  if (typeof x === 'bigint' && typeof y === 'bigint') return checkedInt(x + y);
  if (typeof x === 'number' && typeof y === 'number') return x + y;
  if (x instanceof UintValue && y instanceof UintValue) return checkedUint(x.value + y.value);
  if (x instanceof DurationValue && y instanceof DurationValue) return checkedDuration(x.ns + y.ns);
  throw noSuchOverload();
}

/** One signature for each element type. If the type is not known, the first signature is called and examines the values. */
function forElements(name: string, make: (typeName: string, element: CELType) => Overload): FunctionDeclaration {
  return declare(name, ...comparable.map(([type, element]) => make(type, element)));
}

/**
 * The order of two elements. Elements of different types (in a list of unknown type) count as unordered; a type without an order is an
 * error.
 */
function orderOf(x: CELValue, y: CELValue): number {
  if (typeName(x) === typeName(y)) return compareValues(x, y) ?? 0;
  for (const value of [x, y]) compareValues(value, value);
  try {
    return compareValues(x, y) ?? 0;
  } catch (error) {
    if (error instanceof Failure) return 0;
    throw error;
  }
}

function isSorted(list: ListValue): boolean {
  for (let at = 1; at < list.size; at++) if (orderOf(list.get(at - 1), list.get(at)) > 0) return false;
  return true;
}

/** The element that no other is before, in the order times `direction`. */
const extreme =
  (name: string, direction: 1 | -1) =>
  (list: ListValue): CELValue => {
    if (list.size === 0) throw new Failure(`${name} called on empty list`);
    return elementsOf(list).reduce((best, element) => (orderOf(best, element) * direction > 0 ? element : best));
  };

function indexOf(list: ListValue, item: CELValue): bigint {
  for (let at = 0; at < list.size; at++) if (equalValues(list.get(at), item)) return BigInt(at);
  return -1n;
}

function lastIndexOf(list: ListValue, item: CELValue): bigint {
  for (let at = list.size - 1; at >= 0; at--) if (equalValues(list.get(at), item)) return BigInt(at);
  return -1n;
}

/** Kubernetes' own functions of lists. */
export const listsLibrary: Library = {
  functions: [
    forElements('isSorted', (type, element) => member(`list_${type}_is_sorted_bool`, [listType(element)], boolType, isSorted)),
    declare(
      'sum',
      ...summable.map(([type, element, zero]) =>
        member(`list_${type}_sum_${type}`, [listType(element)], element, (list: ListValue) => {
          const elements = elementsOf(list);
          return elements.length === 0 ? zero : elements.reduce(add);
        }),
      ),
    ),
    forElements('max', (type, element) => member(`list_${type}_max_${type}`, [listType(element)], element, extreme('max', -1))),
    forElements('min', (type, element) => member(`list_${type}_min_${type}`, [listType(element)], element, extreme('min', 1))),
    declare('indexOf', member('list_a_index_of_int', [listOfA, a], intType, indexOf)),
    declare('lastIndexOf', member('list_a_last_index_of_int', [listOfA, a], intType, lastIndexOf)),
  ],
};

const containsAll = (list: ListValue, of: ListValue): boolean => elementsOf(of).every((element) => listContains(list, element));
const two: readonly CELType[] = [listOfA, listOfA];

export const setsLibrary: Library = {
  functions: [
    declare('sets.contains', global('list_sets_contains_list', two, boolType, containsAll)),
    declare(
      'sets.equivalent',
      global('list_sets_equivalent_list', two, boolType, (x: ListValue, y: ListValue) => containsAll(x, y) && containsAll(y, x)),
    ),
    declare(
      'sets.intersects',
      global('list_sets_intersects_list', two, boolType, (x: ListValue, y: ListValue) =>
        elementsOf(x).some((element) => listContains(y, element)),
      ),
    ),
  ],
};

/** No list that a number makes is longer. */
const maxRange = 1_000_000n;

function range(end: bigint): NativeList {
  if (end > maxRange) throw new Failure(`lists.range: size ${end} exceeds maximum ${maxRange}`);
  return new NativeList(Array.from({ length: end < 0n ? 0 : Number(end) }, (_unused, index) => BigInt(index)));
}

function sliceOf(list: ListValue, start: bigint, end: bigint): NativeList {
  if (start < 0n || end < 0n) throw new Failure(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end) throw new Failure(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > BigInt(list.size)) throw new Failure(`cannot slice(${start}, ${end}), list is length ${list.size}`);
  return new NativeList(elementsOf(list).slice(Number(start), Number(end)));
}

function flatten(list: ListValue, depth: bigint): NativeList {
  if (depth < 0n) throw new Failure('level must be non-negative');
  const flat = (items: ListValue, rest: bigint): CELValue[] =>
    elementsOf(items).flatMap((element) => {
      const isList = typeof element === 'object' && element !== null && !(element instanceof Uint8Array) && element.kind === 'list';
      return isList ? (rest > 0n ? flat(element, rest - 1n) : [element]) : [element];
    });
  return new NativeList(flat(list, depth));
}

function distinct(list: ListValue): NativeList {
  const kept: CELValue[] = [];
  const seen = new Set<CELValue>();
  for (const element of elementsOf(list)) {
    const isScalar = typeof element === 'string' || typeof element === 'boolean';
    if (isScalar ? seen.has(element) : kept.some((other) => equalValues(other, element))) continue;
    if (isScalar) seen.add(element);
    kept.push(element);
  }
  return new NativeList(kept);
}

const ordered = (x: CELValue, y: CELValue): number => compareValues(x, y) ?? 0;

function sortByKeys(list: ListValue, keys: ListValue): NativeList {
  const pairs = elementsOf(list).map((element, index) => ({ element, key: keys.get(index) }));
  return new NativeList(pairs.sort((x, y) => ordered(x.key, y.key)).map(({ element }) => element));
}

const sorted = (list: ListValue): NativeList => new NativeList(elementsOf(list).sort(ordered));

/** `list.sortBy(x, key)`: the list, sorted by the value of `key` for each element. */
const sortBy: Macro = {
  name: 'sortBy',
  isMember: true,
  argCount: 2,
  expand: (build, target, [variable, key], report) => {
    if (variable?.kind !== 'ident' || key === undefined) {
      if (variable !== undefined) report(variable, 'sortBy: argument must be a simple name');
      return target;
    }
    const name = '@__sortBy_input__';
    const input = build.ident(name);
    const keys = build.fold({
      range: build.ident(name),
      variable: variable.name,
      initial: build.list([]),
      condition: build.literal(true),
      step: build.call('_+_', build.accumulator(), build.list([key])),
      result: build.accumulator(),
    });
    return build.fold({
      variable: '#unused',
      range: build.list([]),
      accumulator: name,
      initial: target,
      condition: build.literal(false),
      step: build.ident(name),
      result: build.memberCall('@sortByAssociatedKeys', input, keys),
    });
  },
};

/** CEL's extended functions of lists, in the version Kubernetes has. */
export const extendedListsLibrary: Library = {
  macros: [sortBy],
  functions: [
    declare('lists.range', global('lists_range', [intType], listType(intType), range)),
    declare('slice', member('list_slice', [listOfA, intType, intType], listOfA, sliceOf)),
    declare(
      'flatten',
      member('list_flatten', [listType(listOfA)], listOfA, (list: ListValue) => flatten(list, 1n)),
      member('list_flatten_int', [listType(dynType), intType], listType(dynType), flatten),
    ),
    declare('distinct', member('list_distinct', [listOfA], listOfA, distinct)),
    declare(
      'reverse',
      member('list_reverse', [listOfA], listOfA, (list: ListValue) => new NativeList(elementsOf(list).reverse())),
    ),
    declare('sort', ...comparable.map(([type, element]) => member(`list_${type}_sort`, [listType(element)], listType(element), sorted))),
    declare(
      '@sortByAssociatedKeys',
      ...comparable.map(([type, element]) =>
        member(`list_${type}_sortByAssociatedKeys`, [listOfA, listType(element)], listOfA, sortByKeys),
      ),
    ),
  ],
};

/** cel.bind(), which device selectors have. */
export const bindingsLibrary: Library = { functions: [], macros: bindingMacros };
