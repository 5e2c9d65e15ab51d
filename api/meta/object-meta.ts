import { type FieldError, forbidden, hasEnoughErrors, invalid, notSupported, required, tooLong } from '../validation/field-error.ts';
import type { FieldPath } from '../validation/field-path.ts';
import { validateNonnegative } from '../validation/formats.ts';
import { validateImmutable } from '../validation/immutable.ts';
import { validateAnnotations, validateLabels } from '../validation/labels.ts';
import { dns1123LabelProblems, type NameRule, qualifiedNameProblems } from '../validation/names.ts';
import { validateFieldManager } from '../validation/request-options.ts';
import type { OwnerReferenceLike } from './owner-references.ts';

/** The fields of metav1.ObjectMeta that these rules read. */
export interface ObjectMetaLike {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string | null;
  readonly deletionTimestamp?: string | null;
  readonly deletionGracePeriodSeconds?: number | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReferenceLike[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsLike[];
}

interface ManagedFieldsLike {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsType?: string;
  readonly subresource?: string;
}

/** Metadata of a new object, after its name has been generated. `path` is that of the metadata. */
export function validateObjectMeta(meta: ObjectMetaLike, isNamespaced: boolean, nameRule: NameRule, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const problem of nameRule(meta.generateName, true)) errors.push(invalid(path.child('generateName'), meta.generateName, problem));
  }
  if (!meta.name) errors.push(required(path.child('name'), 'name or generateName is required'));
  else for (const problem of nameRule(meta.name, false)) errors.push(invalid(path.child('name'), meta.name, problem));
  errors.push(...validateNamespaceField(meta.namespace ?? '', isNamespaced, path.child('namespace')));
  errors.push(...validateNonnegative(path.child('generation'), meta.generation ?? 0));
  errors.push(...validateLabels(meta.labels, path.child('labels')));
  errors.push(...validateAnnotations(meta.annotations, path.child('annotations')));
  errors.push(...validateOwnerReferences(meta.ownerReferences ?? [], path.child('ownerReferences')));
  errors.push(...validateFinalizers(meta.finalizers ?? [], path.child('finalizers')));
  errors.push(...validateManagedFields(meta.managedFields ?? [], path.child('managedFields')));
  return errors;
}

/** Validates the metadata of an update: the immutable fields, and the rules for the others. `path` is the path of the metadata. */
export function validateObjectMetaUpdate(meta: ObjectMetaLike, old: ObjectMetaLike, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) errors.push(...validateNoNewFinalizers(meta.finalizers ?? [], old.finalizers ?? [], path.child('finalizers')));
  if (!meta.resourceVersion) errors.push(invalid(path.child('resourceVersion'), '', 'must be specified for an update'));
  const generation = meta.generation ?? 0;
  errors.push(...validateNonnegative(path.child('generation'), generation));
  if (generation < (old.generation ?? 0)) errors.push(invalid(path.child('generation'), generation, 'must not be decremented'));
  errors.push(...validateImmutable(path.child('name'), meta.name ?? '', old.name ?? ''));
  errors.push(...validateImmutable(path.child('namespace'), meta.namespace ?? '', old.namespace ?? ''));
  errors.push(...validateImmutable(path.child('uid'), meta.uid ?? '', old.uid ?? ''));
  for (const field of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    errors.push(...validateImmutable(path.child(field), meta[field] ?? null, old[field] ?? null));
  }
  errors.push(...validateLabels(meta.labels, path.child('labels')));
  errors.push(...validateAnnotations(meta.annotations, path.child('annotations')));
  errors.push(...validateOwnerReferences(meta.ownerReferences ?? [], path.child('ownerReferences')));
  errors.push(...validateFinalizers(meta.finalizers ?? [], path.child('finalizers')));
  errors.push(...validateManagedFields(meta.managedFields ?? [], path.child('managedFields')));
  return errors;
}

function validateNamespaceField(namespace: string, isNamespaced: boolean, path: FieldPath): FieldError[] {
  if (!isNamespaced) return namespace === '' ? [] : [forbidden(path, 'not allowed on this type')];
  if (namespace === '') return [required(path)];
  return dns1123LabelProblems(namespace).map((problem) => invalid(path, namespace, problem));
}

function validateOwnerReferences(references: readonly OwnerReferenceLike[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  let firstController = '';
  for (const reference of references) {
    if (hasEnoughErrors(errors)) break;
    errors.push(...validateOwnerReference(reference, path));
    if (reference.controller !== true) continue;
    const controller = `${reference.kind}/${reference.name}`;
    if (firstController === '') {
      firstController = controller;
      continue;
    }
    const message = `Only one reference can have Controller set to true. Found "true" in references for ${firstController} and ${controller}`;
    errors.push(invalid(path, references, message));
  }
  return errors;
}

/** Upstream's paths do not say which of the references it is. */
function validateOwnerReference(reference: OwnerReferenceLike, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { apiVersion } = reference;
  const parts = (apiVersion ?? '').split('/');
  if (parts.length > 2 || !parts.at(-1)) errors.push(invalid(path.child('apiVersion'), apiVersion ?? '', 'version must not be empty'));
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!reference[field]) errors.push(invalid(path.child(field), '', 'must not be empty'));
  }
  // Events are made and deleted by the thousand, so no object may depend on one.
  if (apiVersion === 'v1' && reference.kind === 'Event') {
    errors.push(invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of finalizers) {
    if (hasEnoughErrors(errors)) break;
    for (const problem of qualifiedNameProblems(finalizer)) errors.push(invalid(path, finalizer, problem));
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** A rule for built-in kinds, not for custom resources: a finalizer is qualified by a domain before a `/`. */
export function validateFinalizerOwners(finalizers: readonly string[] = [], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, finalizer] of finalizers.entries()) {
    if (finalizer.includes('/') || standardFinalizers.has(finalizer)) continue;
    errors.push(invalid(path.index(index), finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
    if (hasEnoughErrors(errors)) break;
  }
  return errors;
}

function validateNoNewFinalizers(finalizers: readonly string[], old: readonly string[], path: FieldPath): FieldError[] {
  const added = [...new Set(finalizers).difference(new Set(old))].sort();
  if (added.length === 0) return [];
  const list = `[]string{${added.map((finalizer) => JSON.stringify(finalizer)).join(', ')}}`;
  return [forbidden(path, `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`)];
}

function validateManagedFields(entries: readonly ManagedFieldsLike[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, entry] of entries.entries()) {
    if (hasEnoughErrors(errors)) break;
    const at = path.index(index);
    if (!entry.operation) errors.push(required(at.child('operation'), 'must not be empty'));
    else if (entry.operation !== 'Apply' && entry.operation !== 'Update') {
      errors.push(notSupported(at.child('operation'), entry.operation, ['Apply', 'Update']));
    }
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') {
      errors.push(invalid(at.child('fieldsType'), entry.fieldsType, 'must be `FieldsV1`'));
    }
    errors.push(...validateFieldManager(entry.manager ?? '', at.child('manager')));
    if ((entry.subresource ?? '').length > 256) errors.push(tooLong(at.child('subresource'), 256));
  }
  return errors;
}
