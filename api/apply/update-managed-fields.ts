import { remembering } from '../base/remembering.ts';
import { utf8Length } from '../base/utf8.ts';
import { decode } from '../schema/decode.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { compareObjects } from './compare.ts';
import { emptySet, type FieldSet } from './field-set.ts';
import { capUpdaters, type ManagedFieldsEntry, type Manager, managersBefore, writeManagers } from './managers.ts';
import { ownChanges } from './own-changes.ts';
import { rootSchema } from './typed-schema.ts';
import { changesByVersion, type Converting } from './versions.ts';

/** An object as server-side apply sees it. */
export type AppliedObject = Readonly<Record<string, unknown>> & {
  readonly metadata: { readonly managedFields?: readonly Readonly<ManagedFieldsEntry>[] };
};

interface UpdateManagedFieldsRequest {
  readonly schema: StructuralSchema;
  /** `v1`, `apps/v1`: the version of both objects. */
  readonly apiVersion: string;
  /** The stored object; undefined for a create. */
  readonly live: AppliedObject | undefined;
  /** The object as it will be stored, decoded and defaulted; its managedFields are those that the client sent. */
  readonly updated: AppliedObject;
  /** See fieldManagerName. */
  readonly manager: string;
  /** '' for the main resource. */
  readonly subresource?: string;
  /** Fields that this request cannot change (status for the main resource). */
  readonly resetFields?: FieldSet;
  /** RFC 3339, to the second. */
  readonly now: string;
}

/**
 * metadata.managedFields after a create, update or patch: the manager owns the fields that it changed or added, and other managers lose
 * them. An object that never had managers gets none before the first apply. undefined: there are none.
 */
export function* updateManagedFields(request: UpdateManagedFieldsRequest): Converting<readonly Readonly<ManagedFieldsEntry>[] | undefined> {
  const { apiVersion, live, updated, manager: name, subresource = '', now } = request;
  const stored = live?.metadata.managedFields;
  const managers = managersBefore(stored, updated.metadata.managedFields, subresource);
  if (managers.length === 0 && live !== undefined) return undefined;
  const schema = rootSchema(request.schema);
  const before = { apiVersion, schema, object: live ?? emptyObject(request.schema) };
  const after = { apiVersion, schema, object: updated };
  const changes = compareObjects(schema, before.object, updated, request.resetFields);
  if (changes === undefined) return managers.length === 0 ? undefined : unchanged(managers, stored);
  const updater: Manager = {
    name: name === '' ? 'unknown' : name,
    operation: 'Update',
    apiVersion,
    subresource,
    time: now,
    fields: emptySet,
  };
  const byVersion = yield* changesByVersion({ before, after, changes, ignored: request.resetFields }, managers);
  return writeManagers(capUpdaters(ownChanges(managers, byVersion, updater)));
}

/** The stored entries themselves, if the managers are those. */
function unchanged(
  managers: readonly Manager[],
  stored: readonly Readonly<ManagedFieldsEntry>[] | undefined,
): readonly Readonly<ManagedFieldsEntry>[] | undefined {
  const isStored =
    stored !== undefined && managers.length === stored.length && managers.every(({ entry }, index) => entry === stored[index]);
  return isStored ? stored : writeManagers(managers);
}

const emptyObjects = new WeakMap<StructuralSchema, Readonly<Record<string, unknown>>>();

/** The object that a new object is compared with. It contains the structs that decoding always writes, so that no manager owns them. */
export function emptyObject(schema: StructuralSchema): Readonly<Record<string, unknown>> {
  let empty = emptyObjects.get(schema);
  if (empty === undefined) {
    empty = schema.properties === undefined ? {} : decode({}, schema).object;
    emptyObjects.set(schema, empty);
  }
  return empty;
}

/** The manager's name for a request: its fieldManager, else the first word of its user agent, at most 128 bytes of it. */
export function fieldManagerName(fieldManager: string | undefined, userAgent: string): string {
  return fieldManager !== undefined && fieldManager !== '' ? fieldManager : nameOfAgent(userAgent);
}

const nameOfAgent = remembering(
  (userAgent) => {
    const name = [...(userAgent.split('/', 1)[0] ?? '')].filter((character) => /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)).join('');
    let bytes = 0;
    let end = 0;
    for (const character of name) {
      bytes += utf8Length(character);
      if (bytes > 128) break;
      end += character.length;
    }
    return name.slice(0, end);
  },
  { entries: 200, length: 300 },
);
