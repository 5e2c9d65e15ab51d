import type { StructuralSchema } from '../schema/structural-schema.ts';
import { elementSchema, isAtomicList, isAtomicMap, isMap, memberSchemaOrUntyped } from './typed-schema.ts';

/** The paths of the maps and lists of a configuration that are atomic: one manager owns all of each, and a merge replaces it. */
export function findAtomics(schema: StructuralSchema, value: unknown, path = ''): string[] {
  if (isMap(value)) {
    const own = isAtomicMap(schema) ? [path] : [];
    return [...own, ...Object.keys(value).flatMap((key) => findAtomics(memberSchemaOrUntyped(schema, key), value[key], `${path}.${key}`))];
  }
  if (!Array.isArray(value)) return [];
  const own = isAtomicList(schema) ? [path] : [];
  return [...own, ...value.flatMap((element, index) => findAtomics(elementSchema(schema), element, `${path}[${index}]`))];
}
