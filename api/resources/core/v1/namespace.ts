import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { Namespace } from '../../../types/core-v1.ts';
import { type FieldError, invalid } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { nameIsDNSLabel, qualifiedNameProblems } from '../../../validation/names.ts';

/** The finalizer that the namespace controller removes once it has emptied a Namespace. */
const namespaceFinalizer = 'kubernetes';

/** A scope for names; deleting it deletes all in it. */
export const namespaces = defineResource<Namespace>({
  group: '',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'Namespace', plural: 'namespaces', shortNames: ['ns'] },
  definition: 'io.k8s.api.core.v1.Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  resetFields: { finalize: [['status']] },
  subresources: {
    finalize: { kind: 'Namespace', verbs: ['update'] },
    status: { kind: 'Namespace', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'namespaces',
  nameRule: nameIsDNSLabel,
  printerColumns: [nameColumn, textColumn('Status', ({ status }) => status?.phase ?? ''), ageColumn],
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  /** Adds the finalizer, so that no object of the namespace is left behind. */
  prepareForCreate(namespace) {
    namespace.status = { phase: 'Active' };
    const { finalizers = [] } = (namespace.spec ??= {});
    if (!finalizers.includes(namespaceFinalizer)) namespace.spec.finalizers = [...finalizers, namespaceFinalizer];
  },
  /** Finalizers go only through the subresource finalize. */
  prepareForUpdate(namespace, old, { subresource }) {
    if (subresource !== '') return;
    namespace.spec ??= {};
    if (old.spec?.finalizers) namespace.spec.finalizers = [...old.spec.finalizers];
    else delete namespace.spec.finalizers;
  },
  canonicalize({ metadata }) {
    // For namespaces made by generateName, whose name was not there when defaults were.
    if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  },
  validate: ({ spec }, path) => validateFinalizerNames(spec?.finalizers ?? [], path.child('spec', 'finalizers')),
  validateStatusUpdate({ metadata, status }, _old, path) {
    const phase = status?.phase ?? '';
    const expected = metadata.deletionTimestamp ? 'Terminating' : 'Active';
    if (phase === expected) return [];
    const state = metadata.deletionTimestamp ? 'is not empty' : 'is empty';
    return [invalid(path.child('status', 'Phase'), phase, `may only be '${expected}' if \`deletionTimestamp\` ${state}`)];
  },
});

function validateFinalizerNames(finalizers: readonly string[], path: FieldPath): FieldError[] {
  return finalizers.flatMap((finalizer) => {
    const errors = qualifiedNameProblems(finalizer).map((problem) => invalid(path, finalizer, problem));
    if (finalizer.includes('/')) return errors;
    const isStandard = ['kubernetes', 'orphan', 'foregroundDeletion'].includes(finalizer);
    return isStandard
      ? errors
      : [...errors, invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')];
  });
}
