import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import { compileDeviceExpression, costLimit } from '../../../semantics/devices/device-expressions.ts';
import type { DeviceSelector, DeviceTaint, DeviceToleration, OpaqueDeviceConfiguration } from '../../../types/resource-v1.ts';
import { duplicate, type FieldError, forbidden, invalid, required, tooLong, tooMany } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { cIdentifierProblems } from '../../../validation/formats.ts';
import { dns1123SubdomainProblems, labelValueProblems, qualifiedNameProblems } from '../../../validation/names.ts';
import { validateCSIDriverName } from '../../core/v1/pod-spec/volumes/volumes.ts';
import { formatJSON } from '../../../base/format-json.ts';

const maxSelectors = 32;
const maxExpressionLength = 10 * 1024;
const maxParametersLength = 10 * 1024;
const maxPoolNameLength = 253;
const maxIDLength = 32;
export const maxConfigs = 32;

/** A list that may not be longer, whose elements are valid, and of which no two have the same key. */
export function validateSet<T>(
  items: readonly T[] | null | undefined,
  path: FieldPath,
  { max, keyOf, validate }: { readonly max: number; readonly keyOf?: (item: T) => string; validate(item: T, at: FieldPath): FieldError[] },
): FieldError[] {
  const list = items ?? [];
  // A list that is too long is not validated further.
  if (list.length > max) return [tooMany(path, list.length, max)];
  const errors = validateEach(list, path, validate);
  const keys = new Set<string>();
  for (const [index, item] of keyOf === undefined ? [] : list.entries()) {
    const key = keyOf?.(item) ?? '';
    if (keys.has(key)) errors.push(duplicate(path.index(index), key));
    keys.add(key);
  }
  return errors;
}

/** Expressions on devices. */
export function validateSelectors(selectors: readonly DeepReadonly<DeviceSelector>[] | undefined, path: FieldPath): FieldError[] {
  return validateSet(selectors, path, {
    max: maxSelectors,
    validate: ({ cel }, at) =>
      cel === undefined ? [required(at.child('cel'))] : validateExpression(cel.expression, at.child('cel', 'expression')),
  });
}

function validateExpression(expression: string, path: FieldPath): FieldError[] {
  if (expression === '') return [required(path)];
  if (new TextEncoder().encode(expression).length > maxExpressionLength) return [tooLong(path, maxExpressionLength)];
  try {
    const { maxCost } = compileDeviceExpression(expression);
    return maxCost() > costLimit ? [forbidden(path, 'too complex, exceeds cost limit')] : [];
  } catch (error) {
    return [invalid(path, expression, error instanceof Error ? error.message : String(error))];
  }
}

/** Names of drivers are domains. */
export function validateDriverName(name: string | undefined, path: FieldPath): FieldError[] {
  return name ? validateCSIDriverName(name, path) : [required(path)];
}

/** Domains, separated by slashes. */
export function validatePoolName(name: string | undefined, path: FieldPath): FieldError[] {
  if (!name) return [required(path)];
  const errors = name.length > maxPoolNameLength ? [tooLong(path, maxPoolNameLength)] : [];
  return [...errors, ...name.split('/').flatMap((part) => invalidFor(path, part, dns1123SubdomainProblems(part)))];
}

/** Validates the parameters that a class or claim passes to a driver. */
export function validateOpaque(opaque: DeepReadonly<OpaqueDeviceConfiguration> | undefined, path: FieldPath): FieldError[] {
  if (opaque === undefined) return [required(path)];
  return [...validateDriverName(opaque.driver, path.child('driver')), ...validateRaw(opaque.parameters, path.child('parameters'))];
}

/** A JSON object that is not too large. */
export function validateRaw(value: unknown, path: FieldPath): FieldError[] {
  if (value === undefined || value === null) return [required(path)];
  if (new TextEncoder().encode(formatJSON(value)).length > maxParametersLength) return [tooLong(path, maxParametersLength)];
  const isObject = typeof value === 'object' && !Array.isArray(value);
  return isObject ? [] : [invalid(path, '<value omitted>', 'must be a valid JSON object')];
}

/** `name` or `domain/name`. */
export function validateQualifiedName(name: string, path: FieldPath): FieldError[] {
  const parts = name.split('/');
  const [domain, id] = parts.length === 1 ? [undefined, name] : parts;
  if (parts.length > 2) return [invalid(path, name, 'must not contain more than one slash')];
  const errors: FieldError[] = [];
  if (domain === '') errors.push(invalid(path, '', 'the domain must not be empty'));
  else if (domain !== undefined) errors.push(...validateDriverName(domain, path));
  if (domain !== undefined && id === '') return [...errors, invalid(path, '', 'the name must not be empty')];
  if ((id ?? '').length > maxIDLength) errors.push(tooLong(path, maxIDLength));
  return [...errors, ...invalidFor(path, id ?? '', cIdentifierProblems(id ?? ''))];
}

/** `domain/name`. */
export function validateAttributeName(name: string, path: FieldPath): FieldError[] {
  const errors = validateQualifiedName(name, path);
  if (!name.includes('/')) errors.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'));
  return errors;
}

const effects = ['NoExecute', 'NoSchedule', 'None'];

export function validateTaint({ key, value, effect }: DeepReadonly<DeviceTaint>, path: FieldPath): FieldError[] {
  return [
    ...invalidFor(path.child('key'), key, qualifiedNameProblems(key)),
    ...invalidFor(path.child('value'), value, labelValueProblems(value ?? '')),
    ...validateChoice(path.child('effect'), effect, effects),
  ];
}

export function validateToleration({ key, operator, value, effect }: DeepReadonly<DeviceToleration>, path: FieldPath): FieldError[] {
  const errors = key ? invalidFor(path.child('key'), key, qualifiedNameProblems(key)) : [];
  if (operator === 'Exists' && value) errors.push(invalid(path.child('value'), value, 'must be empty for operator `Exists`'));
  if (operator === 'Equal') errors.push(...invalidFor(path.child('value'), value, labelValueProblems(value ?? '')));
  return [
    ...errors,
    ...validateChoice(path.child('operator'), operator, ['Equal', 'Exists']),
    ...validateChoice(path.child('effect'), effect, effects, 'allowed'),
  ];
}
