import type { DeepReadonly } from '../../../../../base/deep-readonly.ts';
import { validateEach } from '../../../../../resource/field-rules.ts';
import type { DownwardAPIVolumeFile, KeyToPath } from '../../../../../types/core-v1.ts';
import { type FieldError, invalid, required } from '../../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../../validation/field-path.ts';
import { validateResourceFieldRef, validateVolumeFieldRef } from '../env.ts';
import { validateFileMode, validateFilePath } from '../names.ts';

interface KeyedFiles {
  readonly defaultMode?: number;
  readonly items?: readonly DeepReadonly<KeyToPath>[];
}

/** Keys of a ConfigMap or Secret as files. */
export function validateKeyedFiles(source: KeyedFiles, at: FieldPath): FieldError[] {
  return [
    ...validateFileMode(at.child('defaultMode'), source.defaultMode),
    ...validateEach(source.items, at.child('items'), validateKeyToPath),
  ];
}

export function validateKeyToPath(item: DeepReadonly<KeyToPath>, at: FieldPath): FieldError[] {
  return [
    ...(item.key ? [] : [required(at.child('key'))]),
    ...(item.path ? [] : [required(at.child('path'))]),
    ...validateFilePath(at.child('path'), item.path ?? ''),
    ...validateFileMode(at.child('mode'), item.mode),
  ];
}

/** A field or resource of the Pod as a file. */
export function validateDownwardFile(file: DeepReadonly<DownwardAPIVolumeFile>, at: FieldPath): FieldError[] {
  const errors = file.path ? validateFilePath(at.child('path'), file.path) : [required(at.child('path'))];
  if (file.fieldRef) {
    errors.push(...validateVolumeFieldRef(file.fieldRef, at.child('fieldRef')));
    if (file.resourceFieldRef) errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (file.resourceFieldRef) errors.push(...validateResourceFieldRef(file.resourceFieldRef, at.child('resourceFieldRef'), true));
  else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...validateFileMode(at.child('mode'), file.mode)];
}
