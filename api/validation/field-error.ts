import { quote } from '../base/quote.ts';
import type { FieldPath } from './field-path.ts';
import { formatJSON } from '../base/format-json.ts';

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooShort'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** An error of one field of an object. Its type becomes the reason of a cause in the Status. */
export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  /** The offending value; absent where the message does not show it. */
  readonly value?: unknown;
  readonly detail: string;
}

const titles: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooShort: 'Too short',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

const withValue: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  'FieldValueInvalid',
  'FieldValueTypeInvalid',
  'FieldValueNotSupported',
  'FieldValueNotFound',
  'FieldValueDuplicate',
  'FieldValueTooMany',
  'FieldValueTooFew',
]);

/** Go's encoding/json also escapes the characters that could end a script element. */
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function renderValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return formatJSON(value ?? null).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);
}

/** The message without the field: `Invalid value: "a b": must not contain blanks`. */
export function formatErrorBody(error: FieldError): string {
  let text = titles[error.type];
  if (withValue.has(error.type) && 'value' in error) text += `: ${renderValue(error.value)}`;
  return error.detail === '' ? text : `${text}: ${error.detail}`;
}

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0` */
export function formatFieldError(error: FieldError): string {
  return `${error.field}: ${formatErrorBody(error)}`;
}

/** The most errors of one object that are collected and shown. Nobody reads more, and each may show a value of megabytes. */
export const maxFieldErrors = 1000;
const maxShownLength = 256 * 1024;

/** Whether enough errors were found that the rest of a list need not be checked. */
export function hasEnoughErrors(errors: readonly FieldError[]): boolean {
  return errors.length >= maxFieldErrors;
}

export interface ShownErrors {
  /** The errors that are shown, in their order, each with its message without the field. */
  readonly shown: readonly { readonly error: FieldError; readonly body: string }[];
  /** How many there are besides. */
  readonly omitted: number;
}

/** The first errors of many whose text is no longer than a quarter of a megabyte together, but at least one error. */
export function describeFieldErrors(errors: readonly FieldError[]): ShownErrors {
  const shown: { readonly error: FieldError; readonly body: string }[] = [];
  let length = 0;
  for (const error of errors) {
    if (shown.length >= maxFieldErrors || length > maxShownLength) break;
    const body = formatErrorBody(error);
    length += error.field.length + body.length;
    shown.push({ error, body });
  }
  return { shown, omitted: errors.length - shown.length };
}

/** Joins described errors into one message: repeated ones once, several as `[first, second]`; '' for none. */
export function formatShownErrors({ shown, omitted }: ShownErrors): string {
  const messages = [...new Set(shown.map(({ error, body }) => `${error.field}: ${body}`))];
  if (omitted > 0) messages.push(`and ${omitted} more errors`);
  return messages.length > 1 ? `[${messages.join(', ')}]` : (messages[0] ?? '');
}

/** formatShownErrors of the first of many errors. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  return formatShownErrors(describeFieldErrors(errors));
}

/** A value is missing: absent, empty or null where something has to be. */
export function required(path: FieldPath, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field: path.toString(), detail };
}

/** A value is malformed or out of bounds. */
export function invalid(path: FieldPath, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field: path.toString(), value: value ?? null, detail };
}

/** A value has the wrong type for its field. */
export function typeInvalid(path: FieldPath, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field: path.toString(), value: value ?? null, detail };
}

/** A value that is none of an enumeration; the caller gives `supported` in the order the message shows. */
export function notSupported(path: FieldPath, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(quote).join(', ')}`;
  return { type: 'FieldValueNotSupported', field: path.toString(), value: value ?? null, detail };
}

/** A value that has to be unique is there twice. */
export function duplicate(path: FieldPath, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field: path.toString(), value: value ?? null, detail: '' };
}

/** A well-formed value that is not allowed here and now. */
export function forbidden(path: FieldPath, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field: path.toString(), detail };
}

/** A referenced value does not exist. */
export function notFound(path: FieldPath, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', field: path.toString(), value: value ?? null, detail: '' };
}

/** Longer than `maxBytes` in UTF-8; a negative limit is not shown. */
export function tooLong(path: FieldPath, maxBytes: number): FieldError {
  return { type: 'FieldValueTooLong', field: path.toString(), detail: lengthDetail(maxBytes, 'byte') };
}

/** Longer than `maxCharacters` code points; a negative limit is not shown. */
export function tooLongCharacters(path: FieldPath, maxCharacters: number): FieldError {
  return { type: 'FieldValueTooLong', field: path.toString(), detail: lengthDetail(maxCharacters, 'character') };
}

function lengthDetail(limit: number, unit: string): string {
  return limit < 0 ? 'value is too long' : `may not be more than ${limit} ${unit}${limit === 1 ? '' : 's'}`;
}

/** Shorter than `minCharacters` code points. */
export function tooShort(path: FieldPath, minCharacters: number): FieldError {
  const detail = `must be at least ${minCharacters} character${minCharacters === 1 ? '' : 's'}`;
  return { type: 'FieldValueTooShort', field: path.toString(), detail };
}

/** The error for more than `maximum` elements; a negative `actual` is not shown. */
export function tooMany(path: FieldPath, actual: number, maximum: number): FieldError {
  const detail = maximum < 0 ? 'has too many items' : `must have at most ${maximum} item${maximum === 1 ? '' : 's'}`;
  return { type: 'FieldValueTooMany', field: path.toString(), ...(actual < 0 ? {} : { value: actual }), detail };
}

/** Fewer than `minimum` elements. */
export function tooFew(path: FieldPath, actual: number, minimum: number): FieldError {
  const detail = `must have at least ${minimum} item${minimum === 1 ? '' : 's'}`;
  return { type: 'FieldValueTooFew', field: path.toString(), value: actual, detail };
}

/** An error that is not the user's fault. */
export function internal(path: FieldPath, detail: string): FieldError {
  return { type: 'InternalError', field: path.toString(), detail };
}
