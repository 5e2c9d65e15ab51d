import { declare, global } from './declare.ts';
import { twoVariableMacros } from '../syntax/macros.ts';
import { mapType, typeParam } from '../types/types.ts';
import { noSuchOverload } from '../types/values.ts';
import type { Library } from '../declarations.ts';

const k = typeParam('K');
const v = typeParam('V');
const map = mapType(k, v);

/** The fold adds to one map itself, so this function is declared for its types only. */
function notCalled(): never {
  throw noSuchOverload();
}

/** all, exists, existsOne with index and element or key and value, and transformList, transformMap, transformMapEntry. */
export const twoVariableLibrary: Library = {
  macros: twoVariableMacros,
  functions: [
    declare(
      'cel.@mapInsert',
      global('@mapInsert_map_map', [map, map], map, notCalled),
      global('@mapInsert_map_key_value', [map, k, v], map, notCalled),
    ),
  ],
};
