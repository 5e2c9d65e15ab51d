import { difference, emptySet, type FieldSet, intersection, isEmptySet, union } from './field-set.ts';
import type { Manager } from './managers.ts';
import { removeItems } from './remove-items.ts';
import { toFieldSet, withStructs } from './to-field-set.ts';
import { type Converting, inVersion, type PlainObject, type VersionedObject } from './versions.ts';

type Owner = Pick<Manager, 'apiVersion' | 'fields'>;

/**
 * Takes out of the merged object what the manager applied last time, does not apply now, and nobody else owns. `owners` are
 * all, the manager with its new fields included; each owns fields as its version has them.
 */
export function* pruneAbandoned(merged: VersionedObject, owners: readonly Owner[], lastApplied: Owner): Converting<PlainObject> {
  const ownedByVersion = new Map<string, FieldSet>([[lastApplied.apiVersion, emptySet]]);
  for (const { apiVersion, fields } of owners) ownedByVersion.set(apiVersion, union(ownedByVersion.get(apiVersion) ?? emptySet, fields));
  const last = yield* inVersion(merged, lastApplied.apiVersion);
  if (!last || isEmptySet(difference(lastApplied.fields, ownedByVersion.get(last.apiVersion) ?? emptySet))) return merged.object;
  // Removes everything that was applied, with all below it, then restores the fields that some manager owns, ...
  const applied = withStructs(last.schema, lastApplied.fields);
  let pruned = without(last, applied);
  for (const [version, owned] of ownedByVersion) {
    const [whole, rest] = [yield* inVersion(merged, version), yield* inVersion(pruned, version)];
    if (whole && rest) pruned = without(whole, difference(fieldsOf(whole), union(fieldsOf(rest), withStructs(whole.schema, owned))));
  }
  // ... and the fields that this manager never applied.
  const kept = (yield* inVersion(pruned, last.apiVersion)) ?? last;
  const result = without(last, intersection(difference(fieldsOf(last), fieldsOf(kept)), applied));
  return ((yield* inVersion(result, merged.apiVersion)) ?? merged).object;
}

function without({ apiVersion, schema, object }: VersionedObject, fields: FieldSet): VersionedObject {
  return { apiVersion, schema, object: (removeItems(schema, object, fields) ?? {}) as PlainObject };
}

function fieldsOf({ schema, object }: VersionedObject): FieldSet {
  return withStructs(schema, toFieldSet(schema, object));
}
