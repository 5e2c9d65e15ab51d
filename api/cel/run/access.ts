import { elementAt } from '../libraries/standard/operators.ts';
import { type CELValue, Failure, mapKey, none, noSuchKey, OptionalValue } from '../types/values.ts';

/** The value of a field or key of a map, of an object, or of the content of an optional; undefined where it is absent. */
export function findField(operand: CELValue, field: string): CELValue | undefined {
  if (typeof operand !== 'object' || operand === null || operand instanceof Uint8Array) return undefined;
  if (operand.kind === 'map' || operand.kind === 'object') return operand.find(field);
  return undefined;
}

/** operand.field, where the operand is not an optional. Throws Failure. */
export function selectField(operand: CELValue, field: string): CELValue {
  const found = findField(operand, field);
  if (found === undefined) throw noSuchKey(field);
  return found;
}

/** has(operand.field). */
export function hasField(operand: CELValue, field: string): boolean {
  if (operand instanceof OptionalValue) return operand.value !== undefined && findField(operand.value, field) !== undefined;
  return findField(operand, field) !== undefined;
}

/** operand.?field */
export function optionalField(operand: CELValue, field: string): OptionalValue {
  const value = operand instanceof OptionalValue ? operand.value : operand;
  const found = value === undefined ? undefined : findField(value, field);
  return found === undefined ? none : new OptionalValue(found);
}

/** operand[index]. Of an optional: an optional. Throws Failure. */
export function index(operand: CELValue, key: CELValue): CELValue {
  if (typeof operand === 'object' && operand !== null && !(operand instanceof Uint8Array)) {
    if (operand.kind === 'list') return elementAt(operand, key);
    if (operand.kind === 'map') {
      const found = operand.find(key);
      if (found !== undefined) return found;
      if (mapKey(key) === undefined && typeof key !== 'number') throw new Failure(`unsupported key type`);
      throw noSuchKey(key);
    }
    if (operand.kind === 'object' && typeof key === 'string') return selectField(operand, key);
    if (operand.kind === 'optional') return optionalIndex(operand, key);
  }
  throw new Failure('no such overload');
}

/** operand[?index] */
export function optionalIndex(operand: CELValue, key: CELValue): OptionalValue {
  const value = operand instanceof OptionalValue ? operand.value : operand;
  if (value === undefined) return none;
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    if (value.kind === 'list') {
      const position = mapKey(key);
      return typeof position === 'bigint' && position >= 0n && position < BigInt(value.size)
        ? new OptionalValue(value.get(Number(position)))
        : none;
    }
    if (value.kind === 'map') {
      const found = value.find(key);
      return found === undefined ? none : new OptionalValue(found);
    }
    if (value.kind === 'object' && typeof key === 'string') return optionalField(value, key);
  }
  throw new Failure('no such overload');
}
