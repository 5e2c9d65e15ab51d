import { standardMacros } from '../../syntax/macros.ts';
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
  nullType,
  stringType,
  timestampType,
  typeType,
  uintType,
} from '../../types/types.ts';
import { conversions } from './conversions.ts';
import { mixedComparisons, operators } from './operators.ts';
import { stringsAndTimes } from './strings-and-times.ts';
import type { Library } from '../../declarations.ts';

const named: readonly CELType[] = [
  boolType,
  bytesType,
  doubleType,
  intType,
  nullType,
  stringType,
  uintType,
  typeType,
  listType(dynType),
  mapType(dynType, dynType),
  timestampType,
  durationType,
];

/** The functions that CEL has everywhere. */
export const standardLibrary: Library = {
  functions: [...operators, ...conversions, ...stringsAndTimes],
  macros: standardMacros,
  types: named,
};

/** Comparisons of numbers of two types. */
export const crossTypeComparisonLibrary: Library = { functions: mixedComparisons };
