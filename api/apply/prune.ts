import type { StructuralSchema } from '../schema/structural-schema.ts';
import { difference, type FieldSet, intersection, isEmptySet, union } from './field-set.ts';
import { removeItems } from './remove-items.ts';
import { toFieldSet, withStructs } from './to-field-set.ts';

/**
 * Takes out of the merged object what the manager applied last time, does not apply now, and nobody else owns.
 * `owned` is what anybody owns, the manager's new fields included.
 */
export function pruneAbandoned(
  schema: StructuralSchema,
  merged: Readonly<Record<string, unknown>>,
  owned: FieldSet,
  lastApplied: FieldSet,
): Readonly<Record<string, unknown>> {
  if (isEmptySet(difference(lastApplied, owned))) return merged;
  const remove = (set: FieldSet) => (removeItems(schema, merged, set) ?? {}) as Readonly<Record<string, unknown>>;
  const complete = (set: FieldSet) => withStructs(schema, set);
  const fieldsOf = (value: unknown) => complete(toFieldSet(schema, value));
  const present = fieldsOf(merged);
  // All that was applied goes, with what is below it; then what somebody owns comes back, ...
  const withoutLast = remove(complete(lastApplied));
  const withOwned = remove(difference(present, union(fieldsOf(withoutLast), complete(owned))));
  // ... and what was never applied by this manager.
  return remove(intersection(difference(present, fieldsOf(withOwned)), complete(lastApplied)));
}
