import { type FieldError, invalid } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, qualifiedNameProblems } from '../../../../validation/names.ts';
import { portNameProblems, portNumberProblems } from '../../../../validation/formats.ts';
import { invalidFor } from '../../../../resource/field-rules.ts';

export function validateDNSLabel(path: FieldPath, value: string): FieldError[] {
  return invalidFor(path, value, dns1123LabelProblems(value));
}

export function validateDNSSubdomain(path: FieldPath, value: string): FieldError[] {
  return invalidFor(path, value, dns1123SubdomainProblems(value));
}

export function validateQualifiedName(path: FieldPath, value: string): FieldError[] {
  return invalidFor(path, value, qualifiedNameProblems(value));
}

/** A port by its number or by the name that a container gives it. */
export function validatePortReference(path: FieldPath, port: number | string | undefined): FieldError[] {
  if (typeof port === 'string') return invalidFor(path, port, portNameProblems(port));
  return invalidFor(path, port ?? 0, portNumberProblems(port ?? 0));
}

/** A path that stays below where it starts. */
export function validateDescendingPath(path: FieldPath, value: string): FieldError[] {
  const errors = value.startsWith('/') ? [invalid(path, value, 'must be a relative path')] : [];
  return [...errors, ...validateNoBacksteps(path, value)];
}

export function validateNoBacksteps(path: FieldPath, value: string): FieldError[] {
  return value.split('/').includes('..') ? [invalid(path, value, "must not contain '..'")] : [];
}

/**
 * Validates a descending path as validateDescendingPath does, and refuses names beginning with `..`: the kubelet swaps directories of
 * such names.
 */
export function validateFilePath(path: FieldPath, value: string): FieldError[] {
  const errors = validateDescendingPath(path, value);
  if (value.startsWith('..') && !value.startsWith('../')) errors.push(invalid(path, value, "must not start with '..'"));
  return errors;
}

/** Permission bits, 0 to 0777. */
export function validateFileMode(path: FieldPath, mode: number | undefined): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
