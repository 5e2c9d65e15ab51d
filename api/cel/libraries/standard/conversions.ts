import { declare, global } from '../declare.ts';
import { formatDurationSeconds, formatTimestamp, parseDurationText, parseTimestampText } from '../../types/time-values.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  intType,
  stringType,
  timestampType,
  typeOf,
  typeParam,
  uintType,
} from '../../types/types.ts';
import { DurationValue, Failure, TimestampValue, TypeValue, typeName, UintValue } from '../../types/values.ts';
import { checkedInt, checkedTimestamp, checkedUint, overflow } from './operators.ts';
import type { FunctionDeclaration } from '../../declarations.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function textOfBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Failure('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const notA = (type: string): Failure => new Failure(`type conversion error from 'string' to '${type}'`);

function intOfText(text: string): bigint {
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
  if (value === undefined || BigInt.asIntN(64, value) !== value) throw notA('int');
  return value;
}

function uintOfText(text: string): UintValue {
  const value = /^\d+$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || BigInt.asUintN(64, value) !== value) throw notA('uint');
  return new UintValue(value);
}

function doubleOfText(text: string): number {
  const lower = text.toLowerCase();
  if (/^[+-]?(inf|infinity)$/.test(lower)) return lower.startsWith('-') ? -Infinity : Infinity;
  if (lower === 'nan') return Number.NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(lower)) throw notA('double');
  const value = Number(text);
  if (!Number.isFinite(value)) throw notA('double');
  return value;
}

const trueTexts = new Set(['1', 't', 'true', 'TRUE', 'True']);
const falseTexts = new Set(['0', 'f', 'false', 'FALSE', 'False']);

function boolOfText(text: string): boolean {
  if (trueTexts.has(text) || text === 'T') return true;
  if (falseTexts.has(text) || text === 'F') return false;
  throw notA('bool');
}

/** A double without its fraction. The bounds of 64 bits cannot be represented as doubles, so values that reach them are refused. */
function intOfDouble(value: number): bigint {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) throw overflow.int();
  return BigInt(Math.trunc(value));
}

function uintOfDouble(value: number): UintValue {
  if (!(value >= 0 && value < 2 ** 64)) throw overflow.uint();
  return new UintValue(BigInt(Math.trunc(value)));
}

/** A double as Go's %g writes it, with the fewest digits that identify it. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const exponent = value === 0 ? 0 : Number(value.toExponential().split('e')[1]);
  if (exponent >= -4 && exponent < 21) return toPlain(value);
  const [digits = '0', power = '0'] = value.toExponential().split('e');
  const size = Math.abs(Number(power));
  return `${digits}e${Number(power) < 0 ? '-' : '+'}${size < 10 ? `0${size}` : size}`;
}

function toPlain(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/0+$/, '') : text;
}

function orNotA(type: string, read: () => bigint): bigint {
  try {
    return read();
  } catch (error) {
    throw error instanceof Failure && !/overflow/.test(error.message) ? notA(type) : error;
  }
}

const a = typeParam('A');

export const conversions: readonly FunctionDeclaration[] = [
  declare(
    'type',
    global('type', [a], typeOf(a), (value) => new TypeValue(typeName(value))),
  ),
  declare(
    'int',
    global('int64_to_int64', [intType], intType, (value: bigint) => value),
    global('double_to_int64', [doubleType], intType, intOfDouble),
    global('string_to_int64', [stringType], intType, intOfText),
    global('uint64_to_int64', [uintType], intType, (value: UintValue) => checkedInt(value.value)),
    global('timestamp_to_int64', [timestampType], intType, (value: TimestampValue) => {
      const rest = ((value.ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
      return (value.ns - rest) / 1_000_000_000n;
    }),
    global('duration_to_int64', [durationType], intType, (value: DurationValue) => value.ns),
  ),
  declare(
    'uint',
    global('uint64_to_uint64', [uintType], uintType, (value: UintValue) => value),
    global('double_to_uint64', [doubleType], uintType, uintOfDouble),
    global('int64_to_uint64', [intType], uintType, checkedUint),
    global('string_to_uint64', [stringType], uintType, uintOfText),
  ),
  declare(
    'double',
    global('double_to_double', [doubleType], doubleType, (value: number) => value),
    global('int64_to_double', [intType], doubleType, (value: bigint) => Number(value)),
    global('string_to_double', [stringType], doubleType, doubleOfText),
    global('uint64_to_double', [uintType], doubleType, (value: UintValue) => Number(value.value)),
  ),
  declare(
    'bool',
    global('bool_to_bool', [boolType], boolType, (value: boolean) => value),
    global('string_to_bool', [stringType], boolType, boolOfText),
  ),
  declare(
    'string',
    global('string_to_string', [stringType], stringType, (value: string) => value),
    global('bool_to_string', [boolType], stringType, String),
    global('bytes_to_string', [bytesType], stringType, textOfBytes),
    global('double_to_string', [doubleType], stringType, formatDouble),
    global('duration_to_string', [durationType], stringType, (value: DurationValue) => formatDurationSeconds(value.ns)),
    global('int64_to_string', [intType], stringType, String),
    global('timestamp_to_string', [timestampType], stringType, (value: TimestampValue) => formatTimestamp(value.ns)),
    global('uint64_to_string', [uintType], stringType, (value: UintValue) => String(value.value)),
  ),
  declare(
    'bytes',
    global('bytes_to_bytes', [bytesType], bytesType, (value: Uint8Array) => value),
    global('string_to_bytes', [stringType], bytesType, (value: string) => encoder.encode(value)),
  ),
  declare(
    'timestamp',
    global('timestamp_to_timestamp', [timestampType], timestampType, (value: TimestampValue) => value),
    global('int64_to_timestamp', [intType], timestampType, (value: bigint) => checkedTimestamp(value * 1_000_000_000n)),
    global(
      'string_to_timestamp',
      [stringType],
      timestampType,
      (value: string) => new TimestampValue(orNotA('google.protobuf.Timestamp', () => parseTimestampText(value))),
    ),
  ),
  declare(
    'duration',
    global('duration_to_duration', [durationType], durationType, (value: DurationValue) => value),
    global('int64_to_duration', [intType], durationType, (value: bigint) => new DurationValue(value)),
    global(
      'string_to_duration',
      [stringType],
      durationType,
      (value: string) => new DurationValue(orNotA('google.protobuf.Duration', () => parseDurationText(value))),
    ),
  ),
];
