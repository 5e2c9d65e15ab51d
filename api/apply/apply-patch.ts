import { badRequest, unexpectedError } from '../meta/status-errors.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { type Conflict, conflictError, conflictsOf } from './conflict-error.ts';
import { emptySet, type FieldSet, hasPath, intersection, recursiveDifference, union } from './field-set.ts';
import { fieldsOfLastApplied, withLastApplied } from './last-applied.ts';
import { isSameManager, type ManagedFieldsEntry, type Manager, readStoredManagers, writeManagers } from './managers.ts';
import { mergeValues } from './merge-values.ts';
import { ownable, ownChanges, withoutChanges } from './own-changes.ts';
import { pruneAbandoned } from './prune.ts';
import { toFieldSet } from './to-field-set.ts';
import { rootSchema } from './typed-schema.ts';
import { type AppliedObject, emptyObject } from './update-managed-fields.ts';
import { formatProblems, validateTyped } from './validate-typed.ts';
import { changesByVersion, type Converting, type PlainObject } from './versions.ts';

interface ApplyPatchRequest {
  readonly schema: StructuralSchema;
  /** `v1`, `apps/v1`: the version that the request's path names, and of `live`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** The stored object; undefined where apply creates it. */
  readonly live: AppliedObject | undefined;
  /** The applied configuration: parsed, not decoded. */
  readonly applied: Readonly<Record<string, unknown>>;
  readonly manager: string;
  readonly force: boolean;
  /** '' for the main resource. */
  readonly subresource?: string;
  /** Fields that this request cannot change (status for the main resource). */
  readonly resetFields?: FieldSet;
  /** RFC 3339, to the second. */
  readonly now: string;
}

/** The result: the object and its field managers. */
interface Outcome {
  readonly object: PlainObject;
  readonly managers: readonly Manager[];
}

/**
 * Server-side apply: merges the configuration into the live object, removes the fields that the manager applied before and has now left
 * out, and updates metadata.managedFields. The result is not yet decoded or defaulted. Modifies neither argument. Throws StatusErrors: 409
 * where other managers own fields that would change, 400 and 500 where the configuration cannot be applied.
 */
export function* applyPatch(request: ApplyPatchRequest): Converting<Record<string, unknown>> {
  checkConfiguration(request);
  const schema = rootSchema(request.schema);
  const live = withoutManagedFields(request.live);
  const stored = readStoredManagers(request.live?.metadata.managedFields);
  const managers = stored.length === 0 && request.live !== undefined ? beforeFirstApply(request, schema, live) : stored;
  const { object, managers: owners } = yield* applyOrConflict(request, schema, live, managers);
  const isKubectl = request.manager === 'kubectl';
  return withManagedFields(isKubectl ? withLastApplied(object, request.applied) : object, writeManagers(owners));
}

function checkConfiguration({ apiVersion, kind, applied, schema }: ApplyPatchRequest): void {
  const { apiVersion: appliedVersion, kind: appliedKind } = applied;
  if (appliedVersion !== apiVersion || appliedKind !== kind) {
    const shown = String(appliedVersion ?? '');
    throw badRequest(`invalid object type: ${shown.includes('/') ? shown : `/${shown}`}, Kind=${String(appliedKind ?? '')}`);
  }
  const metadata = applied['metadata'];
  if (typeof metadata === 'object' && metadata !== null && 'managedFields' in metadata && metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const problems = validateTyped(rootSchema(schema), applied);
  if (problems.length === 0) return;
  const { namespace = '', name = '' } = (metadata ?? {}) as { namespace?: string; name?: string };
  const subject = `${namespace}/${name}; ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
  throw unexpectedError(`failed to create typed patch object (${subject}): ${formatProblems(problems)}`);
}

function withoutManagedFields(object: AppliedObject | undefined): PlainObject {
  if (object === undefined) return {};
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withManagedFields(object: PlainObject, managedFields: ManagedFieldsEntry[] | undefined): Record<string, unknown> {
  const metadata = (object['metadata'] ?? {}) as PlainObject;
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

/** Adds the manager "before-first-apply" for the fields that no manager owns yet. */
function beforeFirstApply(request: ApplyPatchRequest, schema: StructuralSchema, live: PlainObject): readonly Manager[] {
  const { apiVersion, subresource = '', now } = request;
  const changes = compareObjects(schema, emptyObject(request.schema), live, request.resetFields);
  if (changes === undefined) return [];
  const owner: Manager = { name: 'before-first-apply', operation: 'Update', apiVersion, subresource, time: now, fields: emptySet };
  return ownChanges([], new Map([[apiVersion, changes]]), owner);
}

/**
 * Applies the configuration. A conflict with fields from kubectl's client-side apply is allowed for kubectl; any other conflict is an
 * error.
 */
function* applyOrConflict(
  request: ApplyPatchRequest,
  schema: StructuralSchema,
  live: PlainObject,
  managers: readonly Manager[],
): Converting<Outcome> {
  const { outcome, conflicts } = yield* apply(request, schema, live, managers);
  if (conflicts.length === 0 || request.force) return outcome;
  const allowed = request.manager === 'kubectl' ? fieldsOfLastApplied(schema, live, request.apiVersion) : undefined;
  if (allowed === undefined) throw conflictError(conflicts);
  const remaining = conflicts.filter(({ path }) => !hasPath(allowed, path));
  if (remaining.length > 0) throw conflictError(remaining);
  return outcome;
}

/** The outcome if the conflicts do not matter, and the conflicts. */
function* apply(
  request: ApplyPatchRequest,
  schema: StructuralSchema,
  live: PlainObject,
  managers: readonly Manager[],
): Converting<{ readonly outcome: Outcome; readonly conflicts: readonly Conflict[] }> {
  const { applied, apiVersion, subresource = '', resetFields = emptySet, now } = request;
  const claimed = recursiveDifference(toFieldSet(schema, applied), resetFields);
  const self: Manager = { name: request.manager, operation: 'Apply', apiVersion, subresource, time: undefined, fields: ownable(claimed) };
  const previous = managers.find((manager) => isSameManager(manager, self));
  const others = managers.filter((manager) => manager !== previous);
  const merged = { apiVersion, schema, object: mergeValues(schema, live, applied) as PlainObject };
  // No manager owns the name and similar fields, but metadata needs them while its other fields are pruned.
  const owners = [...others, { apiVersion, fields: claimed }];
  const object = previous === undefined ? merged.object : yield* pruneAbandoned(merged, owners, previous);
  const changes = compareObjects(schema, live, object, resetFields);
  if (changes === undefined) return { outcome: { object, managers: [...others, { ...self, time: previous?.time }] }, conflicts: [] };
  const before = { apiVersion, schema, object: live };
  const byVersion = yield* changesByVersion({ before, after: { ...merged, object }, changes, ignored: resetFields }, others);
  return {
    outcome: { object, managers: [...withoutChanges(others, byVersion), { ...self, time: now }] },
    conflicts: conflictsOf(others.map((manager) => ({ manager, fields: writtenOf(manager, byVersion.get(manager.apiVersion)) }))),
  };
}

/** The fields of a manager that are written. */
function writtenOf(manager: Manager, changes: Comparison | undefined): FieldSet {
  return changes ? intersection(manager.fields, union(changes.added, changes.modified)) : emptySet;
}
