import { repeatedIndexes } from '../../../base/repeats.ts';
import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { isSemanticallyEqual, semanticText } from '../../../base/equality.ts';
import { utf8Length } from '../../../base/utf8.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { TopologySelectorTerm } from '../../../types/core-v1.ts';
import type { StorageClass } from '../../../types/storage-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required, tooLong, hasEnoughErrors } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateLabelName } from '../../../validation/labels.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';
import { nodeLabelDeprecation } from '../../core/v1/pod-spec/node-label-warnings.ts';

const maxParameters = 512;
const maxParameterBytes = 256 * 1024;
const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];

/** A way to make volumes. */
export const storageClasses = defineResource<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'StorageClass', plural: 'storageclasses', shortNames: ['sc'] },
  definition: 'io.k8s.api.storage.v1.StorageClass',
  storagePrefix: 'storageclasses',
  printerColumns: [
    {
      ...nameColumn,
      value: ({ metadata }) => {
        const isDefault = defaultAnnotations.some((annotation) => metadata.annotations?.[annotation] === 'true');
        return `${metadata.name ?? ''}${isDefault ? ' (default)' : ''}`;
      },
    },
    textColumn('Provisioner', ({ provisioner }) => provisioner),
    textColumn('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    textColumn('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate'),
    textColumn('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
  warnings: ({ allowedTopologies = [] }) =>
    allowedTopologies.flatMap(({ matchLabelExpressions = [] }, term) =>
      matchLabelExpressions.flatMap(({ key }, index) => {
        const message = nodeLabelDeprecation(key);
        const at = FieldPath.root.child('allowedTopologies').index(term).child('matchLabelExpressions').index(index).child('key');
        return message ? [`${at}: ${message}`] : [];
      }),
    ),
  validate(storageClass, path) {
    const { provisioner = '', parameters, reclaimPolicy, volumeBindingMode } = storageClass;
    const errors = validateProvisioner(provisioner, path.child('provisioner'));
    errors.push(...validateParameters(parameters ?? {}, path.child('parameters')));
    if (reclaimPolicy) errors.push(...validateChoice(path.child('reclaimPolicy'), reclaimPolicy, ['Delete', 'Retain'], 'unsupported'));
    const modePath = path.child('volumeBindingMode');
    if (volumeBindingMode === undefined) errors.push(required(modePath));
    else errors.push(...validateChoice(modePath, volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'unsupported'));
    return [...errors, ...validateTopologies(storageClass.allowedTopologies ?? [], path.child('allowedTopologies'))];
  },
  validateUpdate(storageClass, old, path) {
    const errors: FieldError[] = [];
    for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
      if (!isSemanticallyEqual(storageClass[field], old[field])) {
        errors.push(forbidden(path.child(field), `updates to ${field} are forbidden.`));
      }
    }
    return [...errors, ...validateImmutable(path.child('volumeBindingMode'), storageClass.volumeBindingMode, old.volumeBindingMode)];
  },
});

/** Validates the allowed topologies of volumes: values of labels of nodes. */
function validateTopologies(terms: readonly DeepReadonly<TopologySelectorTerm>[], path: FieldPath): FieldError[] {
  const before = new Set<string>();
  return validateEach(terms, path, (term, at) => {
    const list = at.child('matchLabelExpressions');
    const keys = new Set<string>();
    const errors = validateEach(term.matchLabelExpressions, list, ({ key, values = [] }, expression) => {
      const problems = values.length === 0 ? [required(expression.child('values'))] : [];
      for (const index of repeatedIndexes(values)) {
        if (hasEnoughErrors(problems)) break;
        problems.push(duplicate(expression.child('values').index(index), values[index]));
      }
      problems.push(...validateLabelName(key, expression.child('key')));
      if (keys.has(key)) problems.push(duplicate(expression.child('key'), key));
      keys.add(key);
      return problems;
    });
    // A term without expressions is treated as one that was there before.
    const text = semanticText(term);
    if (keys.size === 0 || before.has(text)) errors.push(duplicate(list, ''));
    before.add(text);
    return errors;
  });
}

/** Validates the provisioner of volumes: a qualified name, whose prefix may have capitals. */
export function validateProvisioner(provisioner: string, path: FieldPath): FieldError[] {
  return provisioner === ''
    ? [required(path)]
    : invalidFor(path, provisioner.toLowerCase(), qualifiedNameProblems(provisioner.toLowerCase()));
}

/** Validates the parameters for a driver: their size is bounded and their names are not empty. */
export function validateParameters(parameters: Readonly<Record<string, string>>, path: FieldPath, minimum = 0): FieldError[] {
  const names = Object.keys(parameters);
  const errors: FieldError[] = [];
  if (names.length < minimum) errors.push(required(path, 'must contain at least one key/value pair'));
  if (names.length > maxParameters) errors.push(tooLong(path, maxParameters));
  if (names.includes('')) errors.push(invalid(path, '', 'field can not be empty.'));
  const bytes = Object.entries(parameters).reduce((sum, [key, value]) => sum + utf8Length(key) + utf8Length(value), 0);
  if (bytes > maxParameterBytes) errors.push(tooLong(path, maxParameterBytes));
  return errors;
}
