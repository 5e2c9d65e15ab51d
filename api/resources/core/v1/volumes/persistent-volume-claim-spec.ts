import { isSemanticallyEqual } from '../../../../base/equality.ts';
import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { parseQuantity } from '../../../../base/quantity/quantity.ts';
import { invalidFor, validateChoice } from '../../../../resource/field-rules.ts';
import type { PersistentVolumeClaimSpec } from '../../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { validateLabelSelector } from '../../../../validation/labels.ts';
import { dns1123SubdomainProblems } from '../../../../validation/names.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** Validates the request for storage of a PersistentVolumeClaim, an ephemeral volume or a StatefulSet's template. */
export function validatePersistentVolumeClaimSpec(spec: DeepReadonly<PersistentVolumeClaimSpec>, path: FieldPath): FieldError[] {
  return [
    ...validateAccessModes(
      spec.accessModes,
      path.child('accessModes'),
      'at least 1 access mode is required',
      'may not use ReadWriteOncePod with other access modes',
    ),
    ...validateLabelSelector(spec.selector, path.child('selector')),
    ...validateStorageQuantity(spec.resources?.requests?.storage, path.child('resources').key('storage')),
    ...validateClassName(spec.storageClassName, path.child('storageClassName')),
    ...(spec.volumeMode === undefined
      ? []
      : validateChoice(path.child('volumeMode'), spec.volumeMode, ['Block', 'Filesystem'], 'unsupported')),
    ...validateDataSources(spec, path),
    ...validateClassName(spec.volumeAttributesClassName, path.child('volumeAttributesClassName')),
  ];
}

export function validateAccessModes(modes: readonly string[] | undefined, path: FieldPath, missing: string, mixed: string): FieldError[] {
  if (modes === undefined || modes.length === 0) return [required(path, missing)];
  const errors = modes.filter((mode) => !accessModes.includes(mode)).map((mode) => notSupported(path, mode, accessModes));
  const others = modes.filter((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others.length > 0) errors.push(forbidden(path, mixed));
  return errors;
}

function validateStorageQuantity(text: string | undefined, path: FieldPath): FieldError[] {
  if (text === undefined) return [required(path)];
  return parseQuantity(text).unscaled > 0n ? [] : [invalid(path, text, 'must be greater than zero')];
}

export function validateClassName(name: string | undefined, path: FieldPath): FieldError[] {
  return name ? invalidFor(path, name, dns1123SubdomainProblems(name)) : [];
}

function validateDataSources({ dataSource, dataSourceRef }: DeepReadonly<PersistentVolumeClaimSpec>, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, source] of Object.entries({ dataSource, dataSourceRef })) {
    if (source === undefined) continue;
    if (!source.name) errors.push(required(path.child(field, 'name')));
    if (!source.kind) errors.push(required(path.child(field, 'kind')));
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
      // Only one of upstream's two messages has quotes.
      const expected = field === 'dataSource' ? 'PersistentVolumeClaim' : "'PersistentVolumeClaim'";
      errors.push(invalid(path.child(field), source.kind, `must be ${expected} when referencing the default apiGroup`));
    }
  }
  if (dataSource === undefined || dataSourceRef === undefined) return errors;
  if (dataSourceRef.namespace)
    errors.push(invalid(path, path.child('dataSource').toString(), 'may not be specified when dataSourceRef.namespace is specified'));
  else if (!isSemanticallyEqual(dataSource, dataSourceRef))
    errors.push(invalid(path, path.child('dataSource').toString(), 'must match dataSourceRef'));
  return errors;
}
