import { compareUTF8 } from '../../base/utf8.ts';
import { type CELValue, type MapValue, noSuchOverload, type ObjectValue, UintValue } from '../types/values.ts';

/** Equality across types: an int equals a double or uint of the same number; different kinds are just not equal. */
export function equalValues(a: CELValue, b: CELValue): boolean {
  if (typeof a === 'string' || typeof a === 'boolean' || a === null) return a === b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a === b;
  if (typeof a === 'bigint' || typeof a === 'number' || a instanceof UintValue) return compareNumbers(a, b) === 0;
  if (typeof b !== 'object' || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b);
  if (b instanceof Uint8Array) return false;
  switch (a.kind) {
    case 'timestamp':
      return b.kind === 'timestamp' && a.ns === b.ns;
    case 'duration':
      return b.kind === 'duration' && a.ns === b.ns;
    case 'type':
      return b.kind === 'type' && a.name === b.name;
    case 'list': {
      if (b.kind !== 'list' || a.size !== b.size) return false;
      if (a.equalsList !== undefined) return a.equalsList(b);
      if (b.equalsList !== undefined) return b.equalsList(a);
      for (let index = 0; index < a.size; index++) if (!equalValues(a.get(index), b.get(index))) return false;
      return true;
    }
    case 'map':
      return b.kind === 'map' && equalMaps(a, b);
    case 'object':
      return b.kind === 'object' && equalObjects(a, b);
    case 'optional':
      if (b.kind !== 'optional') return false;
      return a.value === undefined || b.value === undefined ? a.value === b.value : equalValues(a.value, b.value);
    default:
      return a.equals(b);
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function equalMaps(a: MapValue, b: MapValue): boolean {
  if (a.size !== b.size) return false;
  return a.keys().every((key) => {
    const [x, y] = [a.find(key), b.find(key)];
    return x !== undefined && y !== undefined && equalValues(x, y);
  });
}

function equalObjects(a: ObjectValue, b: ObjectValue): boolean {
  if (a.type.name !== b.type.name) return false;
  const fields = a.fields();
  if (fields.length !== b.fields().length) return false;
  return fields.every((field) => {
    const [x, y] = [a.find(field), b.find(field)];
    return x !== undefined && y !== undefined && equalValues(x, y);
  });
}

function orderOf(x: bigint | number, y: bigint | number): number | undefined {
  if (x < y) return -1;
  if (x > y) return 1;
  return Number.isNaN(x) || Number.isNaN(y) ? undefined : 0;
}

/** Compares an int with a double as doubles. undefined where one side is NaN or not a number. */
function compareNumbers(a: CELValue, b: CELValue): number | undefined {
  const x = a instanceof UintValue ? a.value : a;
  const y = b instanceof UintValue ? b.value : b;
  if ((typeof x !== 'bigint' && typeof x !== 'number') || (typeof y !== 'bigint' && typeof y !== 'number')) return undefined;
  if (typeof x !== typeof y) return orderOf(Number(x), Number(y));
  return orderOf(x, y);
}

/** Negative, 0 or positive; undefined where NaN is compared. Throws Failure for values that have no order. */
export function compareValues(a: CELValue, b: CELValue): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : compareUTF8(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  const isNumber = (value: CELValue) => typeof value === 'bigint' || typeof value === 'number' || value instanceof UintValue;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (
    typeof a === 'object' &&
    typeof b === 'object' &&
    a !== null &&
    b !== null &&
    !(a instanceof Uint8Array) &&
    !(b instanceof Uint8Array)
  ) {
    if ((a.kind === 'timestamp' && b.kind === 'timestamp') || (a.kind === 'duration' && b.kind === 'duration')) {
      return a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0;
    }
  }
  throw noSuchOverload();
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether the list has an element equal to the value. */
export function listContains(list: { readonly size: number; get(index: number): CELValue }, value: CELValue): boolean {
  for (let index = 0; index < list.size; index++) if (equalValues(list.get(index), value)) return true;
  return false;
}
