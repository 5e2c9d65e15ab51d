import { isLongerThan } from '../base/utf8.ts';
import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from './field-error.ts';
import { FieldPath } from './field-path.ts';

const { root } = FieldPath;
const maxFieldManagerBytes = 128;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** Options of a write as they come in the query (create, update, patch). */
interface WriteOptionsLike {
  readonly fieldManager?: string;
  readonly dryRun?: readonly string[];
  readonly fieldValidation?: string;
  readonly force?: boolean;
}

/** metav1.DeleteOptions, as far as there are rules for it. */
interface DeleteOptionsLike {
  readonly dryRun?: readonly string[];
  readonly orphanDependents?: boolean;
  readonly propagationPolicy?: string;
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: object;
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

export function validateFieldManager(manager: string, path: FieldPath): FieldError[] {
  const errors = isLongerThan(manager, maxFieldManagerBytes) ? [tooLong(path, maxFieldManagerBytes)] : [];
  if (printable.test(manager)) return errors;
  let position = 0;
  for (const character of manager) {
    if (!printable.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(invalid(path, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += new TextEncoder().encode(character).length;
  }
  return errors;
}

function validateDryRun(dryRun: readonly string[] | undefined, path: FieldPath): FieldError[] {
  return (dryRun ?? []).every((value) => value === 'All') ? [] : [notSupported(path, dryRun, ['All'])];
}

function validateFieldValidation(value: string | undefined, path: FieldPath): FieldError[] {
  const supported = ['', 'Ignore', 'Strict', 'Warn'];
  return supported.includes(value ?? '') ? [] : [notSupported(path, value, supported)];
}

/** Options of create and update. */
export function validateWriteOptions(options: WriteOptionsLike): FieldError[] {
  return [
    ...validateFieldManager(options.fieldManager ?? '', root.child('fieldManager')),
    ...validateDryRun(options.dryRun, root.child('dryRun')),
    ...validateFieldValidation(options.fieldValidation, root.child('fieldValidation')),
  ];
}

/** Options of patch: apply needs a field manager, and only apply can be forced. */
export function validatePatchOptions(options: WriteOptionsLike, isApply: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (isApply && !options.fieldManager) errors.push(required(root.child('fieldManager'), 'is required for apply patch'));
  if (!isApply && options.force !== undefined) errors.push(forbidden(root.child('force'), 'may not be specified for non-apply patch'));
  return [...errors, ...validateWriteOptions(options)];
}

const policies = ['Foreground', 'Background', 'Orphan'];

export function validateDeleteOptions(options: DeleteOptionsLike): FieldError[] {
  const errors: FieldError[] = [];
  const { propagationPolicy } = options;
  if (options.orphanDependents !== undefined && propagationPolicy !== undefined) {
    const message = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalid(root.child('propagationPolicy'), propagationPolicy, message));
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    errors.push(notSupported(root.child('propagationPolicy'), propagationPolicy, [...policies, 'nil']));
  }
  return [...errors, ...validateDryRun(options.dryRun, root.child('dryRun')), ...validateIgnoreReadError(options)];
}

const ignoreReadError = 'ignoreStoreReadErrorWithClusterBreakingPotential';

/** Refuses all other options of a delete that ignores read errors: nothing can be asked of an object that cannot be read. */
function validateIgnoreReadError(options: DeleteOptionsLike): FieldError[] {
  if (options[ignoreReadError] !== true) return [];
  const { dryRun = [], propagationPolicy, orphanDependents, gracePeriodSeconds, preconditions } = options;
  const others = { dryRun: dryRun.length > 0 ? dryRun : undefined, propagationPolicy, orphanDependents, gracePeriodSeconds, preconditions };
  return Object.entries(others).flatMap(([name, value]) =>
    value === undefined ? [] : [invalid(root.child(ignoreReadError), true, `cannot be set together with .${name}`)],
  );
}
