import { JSONFloat } from '../base/json-float.ts';
import { canonicalMicroTime, canonicalTime, TimeFormatError } from '../meta/time.ts';
import { canonicalizeQuantity, QuantityError } from '../base/quantity/quantity.ts';
import { DecodeError } from './decode-error.ts';
import type { StructuralSchema } from './structural-schema.ts';

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const int32Min = -(2 ** 31);
const int32Max = 2 ** 31 - 1;

/** How Go's decoder names a JSON value of the wrong type. */
export function describeJSON(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint' || value instanceof JSONFloat) return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** The error for a value that is no such Go type; `found` where the message shows more than the value's JSON type. */
type Mismatch = (value: unknown, goType: string, found?: string) => DecodeError;

/** undefined where the value is no such integer. */
export function decodeInteger(value: unknown, format: string | undefined): number | bigint | undefined {
  if (typeof value === 'bigint') return format !== 'int32' && value >= int64Min && value <= int64Max ? value : undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
  if (format === 'int32') return value >= int32Min && value <= int32Max ? value : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Checks base64 as Go's StdEncoding does; line breaks are dropped. Throws DecodeError. */
export function decodeBase64Text(text: string): string {
  if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return text;
  const clean = text.replaceAll(/[\r\n]/g, '');
  if (clean !== text) return decodeBase64Text(clean);
  throw new DecodeError(`illegal base64 data at input byte ${findIllegalByte(text)}`);
}

function findIllegalByte(text: string): number {
  for (let at = 0; at < text.length; at++) {
    if (base64.includes(text.charAt(at))) continue;
    const isPadding = text.charAt(at) === '=' && at % 4 >= 2;
    if (!isPadding) return at;
    const end = at % 4 === 2 ? at + 1 : at;
    if (text.charAt(end) !== '=') return Math.min(end, text.length);
    return end + 1;
  }
  return text.length - (text.length % 4);
}

function decodeTime(value: unknown, canonical: (text: string) => string, mismatch: Mismatch): string {
  if (typeof value !== 'string') throw mismatch(value, 'string');
  try {
    return canonical(value);
  } catch (error) {
    if (error instanceof TimeFormatError) throw new DecodeError(error.message);
    throw error;
  }
}

function decodeIntOrString(value: unknown, mismatch: Mismatch): number | string {
  if (typeof value === 'string') return value;
  const integer = decodeInteger(value, 'int32');
  if (typeof integer === 'number') return integer;
  const digits =
    value instanceof JSONFloat ? value.literal : typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined;
  throw mismatch(value, 'int32', digits === undefined ? undefined : `number ${digits}`);
}

function decodeQuantity(value: unknown): string {
  const text =
    value instanceof JSONFloat
      ? value.literal
      : typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
        ? String(value)
        : 'null';
  try {
    return canonicalizeQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
}

/** Decodes a value whose format has its own reader in Go (quantities, times); `value` is not null. Throws DecodeError. */
export function decodeFormat(value: unknown, schema: StructuralSchema, mismatch: Mismatch): unknown {
  switch (schema.format) {
    case 'date-time':
      return decodeTime(value, canonicalTime, mismatch);
    case 'micro-time':
      return decodeTime(value, canonicalMicroTime, mismatch);
    case 'quantity':
      return decodeQuantity(value);
    case 'int-or-string':
      return decodeIntOrString(value, mismatch);
    default:
      return value;
  }
}

/** Formats that decodeFormat reads. */
export const decodedFormats: ReadonlySet<string | undefined> = new Set(['date-time', 'micro-time', 'quantity', 'int-or-string']);
