import { declare, global, member } from './declare.ts';
import { optionalMacros } from '../syntax/macros.ts';
import { boolType, dynType, intType, listType, mapType, optionalType, stringType, typeParam } from '../types/types.ts';
import { type CELValue, DurationValue, Failure, none, noSuchOverload, OptionalValue, TimestampValue, UintValue } from '../types/values.ts';
import type { Library } from '../declarations.ts';

function isZero(value: CELValue): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (typeof value !== 'object') return false;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof UintValue) return value.value === 0n;
  if (value instanceof DurationValue || value instanceof TimestampValue) return value.ns === 0n;
  if (value.kind === 'list' || value.kind === 'map') return value.size === 0;
  if (value.kind === 'object') return value.fields().length === 0;
  return value.kind === 'optional' && value.value === undefined;
}

function valueOf({ value }: OptionalValue): CELValue {
  if (value === undefined) throw new Failure('optional.none() dereference');
  return value;
}

/**
 * The implementation of functions that are compiled as access, or without evaluating all of their arguments; they are declared
 * for their types.
 */
function notCalled(): never {
  throw noSuchOverload();
}

const v = typeParam('V');
const k = typeParam('K');
const optionalV = optionalType(v);
const listV = listType(v);
const mapKV = mapType(k, v);

/** Optional values and what reads them: `?.`, `[?]`, or(), orValue(), optMap(). */
export const optionalLibrary: Library = {
  types: [optionalType(dynType)],
  macros: optionalMacros,
  functions: [
    declare(
      'optional.of',
      global('optional_of', [v], optionalV, (value) => new OptionalValue(value)),
    ),
    declare(
      'optional.ofNonZeroValue',
      global('optional_ofNonZeroValue', [v], optionalV, (value) => (isZero(value) ? none : new OptionalValue(value))),
    ),
    declare(
      'optional.none',
      global('optional_none', [], optionalV, () => none),
    ),
    declare('value', member('optional_value', [optionalV], v, valueOf)),
    declare(
      'hasValue',
      member('optional_hasValue', [optionalV], boolType, ({ value }: OptionalValue) => value !== undefined),
    ),
    declare('or', member('optional_or_optional', [optionalV, optionalV], optionalV, notCalled)),
    declare('orValue', member('optional_orValue_value', [optionalV, v], v, notCalled)),
    declare('_?._', global('select_optional_field', [dynType, stringType], optionalV, notCalled)),
    declare(
      '_[?_]',
      global('list_optindex_optional_int', [listV, intType], optionalV, notCalled),
      global('optional_list_optindex_optional_int', [optionalType(listV), intType], optionalV, notCalled),
      global('map_optindex_optional_value', [mapKV, k], optionalV, notCalled),
      global('optional_map_optindex_optional_value', [optionalType(mapKV), k], optionalV, notCalled),
    ),
    declare(
      '_[_]',
      global('optional_list_index_int', [optionalType(listV), intType], optionalV, notCalled),
      global('optional_map_index_value', [optionalType(mapKV), k], optionalV, notCalled),
    ),
  ],
};
