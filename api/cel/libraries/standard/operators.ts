import { declare, global } from '../declare.ts';
import { compareValues, equalValues, listContains } from '../../run/equality.ts';
import { inDurationRange, inTimestampRange } from '../../types/time-values.ts';
import {
  boolType,
  bytesType,
  type CELType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  stringType,
  timestampType,
  typeParam,
  uintType,
} from '../../types/types.ts';
import {
  type CELValue,
  DurationValue,
  Failure,
  type ListValue,
  type MapValue,
  mapKey,
  NativeList,
  noSuchKey,
  noSuchOverload,
  TimestampValue,
  typeName,
  UintValue,
} from '../../types/values.ts';
import type { FunctionDeclaration, Overload } from '../../declarations.ts';

export const overflow = {
  int: (): Failure => new Failure('integer overflow'),
  uint: (): Failure => new Failure('unsigned integer overflow'),
  duration: (): Failure => new Failure('integer overflow'),
  timestamp: (): Failure => new Failure('timestamp overflow'),
};

export function checkedInt(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw overflow.int();
  return value;
}

export function checkedUint(value: bigint): UintValue {
  if (BigInt.asUintN(64, value) !== value) throw overflow.uint();
  return new UintValue(value);
}

export function checkedDuration(ns: bigint): DurationValue {
  if (!inDurationRange(ns)) throw overflow.duration();
  return new DurationValue(ns);
}

export function checkedTimestamp(ns: bigint): TimestampValue {
  if (!inTimestampRange(ns)) throw overflow.timestamp();
  return new TimestampValue(ns);
}

const a = typeParam('A');
const b = typeParam('B');
const listOfA = listType(a);

/** The concatenation of two lists, without a copy of either. */
class ConcatenatedList implements ListValue {
  readonly kind = 'list';
  readonly #left: ListValue;
  readonly #right: ListValue;
  readonly size: number;
  constructor(left: ListValue, right: ListValue) {
    this.#left = left;
    this.#right = right;
    this.size = left.size + right.size;
  }
  get(index: number): CELValue {
    return index < this.#left.size ? this.#left.get(index) : this.#right.get(index - this.#left.size);
  }
}

/** Results longer than this are joined by reference. Shorter lists are copied, because a chain of references may become long. */
const maxCopied = 1000;

function concatenate(left: ListValue, right: ListValue): ListValue {
  if (left.concat !== undefined) return left.concat(right);
  if (left.size === 0) return right;
  if (right.size === 0) return left;
  if (left.size + right.size > maxCopied) return new ConcatenatedList(left, right);
  return new NativeList([...elementsOf(left), ...elementsOf(right)]);
}

export function elementsOf(list: ListValue): CELValue[] {
  return Array.from({ length: list.size }, (_unused, index) => list.get(index));
}

function concatBytes(x: Uint8Array, y: Uint8Array): Uint8Array {
  const joined = new Uint8Array(x.length + y.length);
  joined.set(x);
  joined.set(y, x.length);
  return joined;
}

function nonZero(value: bigint, message: string): bigint {
  if (value === 0n) throw new Failure(message);
  return value;
}

/** A number as the index of a list. */
function indexOf(value: CELValue): number {
  const index = mapKey(value);
  if (typeof index === 'bigint') return Number(index);
  throw new Failure(
    typeof value === 'number' ? `unsupported index value ${value} in list` : `unsupported index type '${typeName(value)}' in list`,
  );
}

export function elementAt(list: ListValue, position: CELValue): CELValue {
  const index = indexOf(position);
  if (index < 0 || index >= list.size) throw new Failure(`index out of bounds: ${index}`);
  return list.get(index);
}

const arithmetic: readonly FunctionDeclaration[] = [
  declare(
    '_+_',
    global('add_bytes', [bytesType, bytesType], bytesType, concatBytes),
    global('add_double', [doubleType, doubleType], doubleType, (x: number, y: number) => x + y),
    global('add_duration_duration', [durationType, durationType], durationType, (x: DurationValue, y: DurationValue) =>
      checkedDuration(x.ns + y.ns),
    ),
    global('add_duration_timestamp', [durationType, timestampType], timestampType, (x: DurationValue, y: TimestampValue) =>
      checkedTimestamp(x.ns + y.ns),
    ),
    global('add_timestamp_duration', [timestampType, durationType], timestampType, (x: TimestampValue, y: DurationValue) =>
      checkedTimestamp(x.ns + y.ns),
    ),
    global('add_int64', [intType, intType], intType, (x: bigint, y: bigint) => checkedInt(x + y)),
    global('add_list', [listOfA, listOfA], listOfA, concatenate),
    global('add_string', [stringType, stringType], stringType, (x: string, y: string) => x + y),
    global('add_uint64', [uintType, uintType], uintType, (x: UintValue, y: UintValue) => checkedUint(x.value + y.value)),
  ),
  declare(
    '_-_',
    global('subtract_double', [doubleType, doubleType], doubleType, (x: number, y: number) => x - y),
    global('subtract_duration_duration', [durationType, durationType], durationType, (x: DurationValue, y: DurationValue) =>
      checkedDuration(x.ns - y.ns),
    ),
    global('subtract_int64', [intType, intType], intType, (x: bigint, y: bigint) => checkedInt(x - y)),
    global('subtract_timestamp_duration', [timestampType, durationType], timestampType, (x: TimestampValue, y: DurationValue) =>
      checkedTimestamp(x.ns - y.ns),
    ),
    global('subtract_timestamp_timestamp', [timestampType, timestampType], durationType, (x: TimestampValue, y: TimestampValue) =>
      checkedDuration(x.ns - y.ns),
    ),
    global('subtract_uint64', [uintType, uintType], uintType, (x: UintValue, y: UintValue) => checkedUint(x.value - y.value)),
  ),
  declare(
    '_*_',
    global('multiply_double', [doubleType, doubleType], doubleType, (x: number, y: number) => x * y),
    global('multiply_int64', [intType, intType], intType, (x: bigint, y: bigint) => checkedInt(x * y)),
    global('multiply_uint64', [uintType, uintType], uintType, (x: UintValue, y: UintValue) => checkedUint(x.value * y.value)),
  ),
  declare(
    '_/_',
    global('divide_double', [doubleType, doubleType], doubleType, (x: number, y: number) => x / y),
    global('divide_int64', [intType, intType], intType, (x: bigint, y: bigint) => checkedInt(x / nonZero(y, 'division by zero'))),
    global(
      'divide_uint64',
      [uintType, uintType],
      uintType,
      (x: UintValue, y: UintValue) => new UintValue(x.value / nonZero(y.value, 'division by zero')),
    ),
  ),
  declare(
    '_%_',
    global('modulo_int64', [intType, intType], intType, (x: bigint, y: bigint) => {
      const rest = x % nonZero(y, 'modulus by zero');
      checkedInt(x / y);
      return rest;
    }),
    global(
      'modulo_uint64',
      [uintType, uintType],
      uintType,
      (x: UintValue, y: UintValue) => new UintValue(x.value % nonZero(y.value, 'modulus by zero')),
    ),
  ),
  declare(
    '-_',
    global('negate_double', [doubleType], doubleType, (x: number) => -x),
    global('negate_int64', [intType], intType, (x: bigint) => checkedInt(-x)),
  ),
];

const orderedTypes: readonly (readonly [string, CELType])[] = [
  ['bool', boolType],
  ['int64', intType],
  ['uint64', uintType],
  ['double', doubleType],
  ['string', stringType],
  ['bytes', bytesType],
  ['timestamp', timestampType],
  ['duration', durationType],
];
const mixedNumbers: readonly (readonly [string, CELType, CELType])[] = [
  ['int64_double', intType, doubleType],
  ['int64_uint64', intType, uintType],
  ['uint64_double', uintType, doubleType],
  ['uint64_int64', uintType, intType],
  ['double_int64', doubleType, intType],
  ['double_uint64', doubleType, uintType],
];

const orderings: readonly (readonly [string, string, (order: number) => boolean])[] = [
  ['_<_', 'less', (order) => order < 0],
  ['_<=_', 'less_equals', (order) => order <= 0],
  ['_>_', 'greater', (order) => order > 0],
  ['_>=_', 'greater_equals', (order) => order >= 0],
];

const comparing =
  (holds: (order: number) => boolean): Overload['call'] =>
  (x, y) => {
    const order = compareValues(x, y);
    return order !== undefined && holds(order);
  };

/** Comparing an int with a double and so on, where the types say so; values of unknown type are compared anyway. */
export const mixedComparisons: readonly FunctionDeclaration[] = orderings.map(([name, id, holds]) =>
  declare(name, ...mixedNumbers.map(([suffix, x, y]) => global(`${id}_${suffix}`, [x, y], boolType, comparing(holds)))),
);

const comparisons: readonly FunctionDeclaration[] = [
  ...orderings.map(([name, id, holds]) =>
    declare(name, ...orderedTypes.map(([suffix, type]) => global(`${id}_${suffix}`, [type, type], boolType, comparing(holds)))),
  ),
  declare('_==_', global('equals', [a, a], boolType, equalValues)),
  declare(
    '_!=_',
    global('not_equals', [a, a], boolType, (x, y) => !equalValues(x, y)),
  ),
];

/** The logical operators that do not evaluate all arguments are compiled, not called; they are declared for their types. */
function notCalled(): never {
  throw noSuchOverload();
}

const logic: readonly FunctionDeclaration[] = [
  declare('_&&_', global('logical_and', [boolType, boolType], boolType, notCalled)),
  declare('_||_', global('logical_or', [boolType, boolType], boolType, notCalled)),
  declare('_?_:_', global('conditional', [boolType, a, a], a, notCalled)),
  declare('@not_strictly_false', global('not_strictly_false', [boolType], boolType, notCalled)),
  declare(
    '!_',
    global('logical_not', [boolType], boolType, (x: boolean) => !x),
  ),
];

const containers: readonly FunctionDeclaration[] = [
  declare(
    '_[_]',
    global('index_list', [listOfA, intType], a, elementAt),
    global('index_map', [mapType(a, b), a], b, (map: MapValue, key) => {
      const found = map.find(key);
      if (found === undefined) throw noSuchKey(key);
      return found;
    }),
  ),
  declare(
    '@in',
    global('in_list', [a, listOfA], boolType, (value, list: ListValue) => listContains(list, value)),
    global('in_map', [a, mapType(a, b)], boolType, (key, map: MapValue) => map.find(key) !== undefined),
  ),
  declare(
    'dyn',
    global('to_dyn', [a], dynType, (value) => value),
  ),
];

export const operators: readonly FunctionDeclaration[] = [...arithmetic, ...comparisons, ...logic, ...containers];
