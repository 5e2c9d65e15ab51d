import { quote } from '../../base/quote.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { formatJSON } from '../../base/format-json.ts';

/** An error of a value, and the text that identifies repeated errors. */
export interface ValueError {
  readonly message: string;
  /** `base` is the path of the validated value; the error's own path is relative to it. */
  toFieldError(base: string): FieldError;
}

/** Joins two paths: `spec.a` below `status` is `status.spec.a`. Two empty ones give the text that upstream shows for no path. */
function join(base: string, path: string): string {
  const relative = path.startsWith('.') ? path.slice(1) : path;
  return base === '' ? relative || '<nil>' : relative === '' ? base : `${base}.${relative}`;
}

type Type = FieldError['type'];

function errorOf(path: string, message: string, type: Type, detail: string, value?: { readonly value: unknown }): ValueError {
  return { message, toFieldError: (base) => ({ type, field: join(base, path), detail, ...value }) };
}

/** The error for a value that breaks a rule, which the message describes. */
export function invalidValue(path: string, value: unknown, rule: string): ValueError {
  const message = `${path} in body ${rule}`;
  return errorOf(path, message, 'FieldValueInvalid', message, { value });
}

/** The rule itself is broken: upstream cuts a factor for whole numbers down to a whole number. */
export function nonPositiveFactor(path: string, factor: number, shown: string): ValueError {
  const message = `factor MultipleOf declared for ${path} must be positive: ${shown}`;
  return errorOf(path, message, 'FieldValueInvalid', message, { value: factor });
}

/** `found`: the JSON type, or the text that has not the format. */
export function wrongType(path: string, wanted: string, found: string): ValueError {
  const message = `${path} in body must be of type ${wanted}: ${quote(found)}`;
  return errorOf(path, message, 'FieldValueTypeInvalid', message, { value: found });
}

export function requiredValue(path: string): ValueError {
  return errorOf(path, `${path} in body is required`, 'FieldValueRequired', '');
}

export function notInEnum(path: string, value: unknown, allowed: readonly unknown[]): ValueError {
  const texts = allowed.map((one) => (typeof one === 'string' ? one : formatJSON(one)));
  const message = `${path} in body should be one of [${texts.join(' ')}]`;
  return errorOf(path, message, 'FieldValueNotSupported', `supported values: ${texts.map(quote).join(', ')}`, {
    // Upstream shows nothing as a word.
    value: value ?? 'null',
  });
}

export function tooLongValue(path: string, limit: number): ValueError {
  return errorOf(
    path,
    `${path} in body should be at most ${limit} chars long`,
    'FieldValueTooLong',
    // The rule counts characters, its message bytes.
    `may not be more than ${limit} ${limit === 1 ? 'byte' : 'bytes'}`,
  );
}

/** `what`: items or properties. */
export function tooManyParts(path: string, what: string, actual: number, limit: number): ValueError {
  const detail = `must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`;
  return errorOf(path, `${path} in body should have at most ${limit} ${what}`, 'FieldValueTooMany', detail, { value: actual });
}

/** Errors of alternatives name no field. */
export function alternativesFailed(path: string, rule: string): ValueError {
  const message = `${quote(path)} ${rule}`;
  return { message, toFieldError: (base) => ({ type: 'FieldValueInvalid', field: join(base, ''), value: '', detail: message }) };
}
