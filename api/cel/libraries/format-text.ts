import { formatDouble } from './standard/conversions.ts';
import { elementsOf } from './standard/operators.ts';
import { formatDurationSeconds, formatTimestamp } from '../types/time-values.ts';
import { type CELValue, Failure, type ListValue, type MapValue, typeName, UintValue } from '../types/values.ts';

const defaultPrecision = 6;
const maxPrecision = 100;
/** The most toFixed() makes. */
const mostDigits = 100;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const failure = (message: string): Failure => new Failure(`error during formatting: ${message}`);

/** `'%s has %d'.format([a, b])`: the clauses %s %d %f %e %b %x %X %o, with a precision for %f and %e. */
export function formatText(template: string, args: ListValue): string {
  let text = '';
  let used = 0;
  for (let at = 0; at < template.length; at++) {
    const character = template[at] ?? '';
    if (character !== '%') {
      text += character;
      continue;
    }
    if (template[at + 1] === '%') {
      text += '%';
      at++;
      continue;
    }
    if (used >= args.size) throw new Failure(`index ${used} out of range`);
    const clause = /^%(?:\.(\d*))?(.?)/su.exec(template.slice(at));
    const [whole = '%', digits, letter = ''] = clause ?? [];
    if (letter === '')
      throw new Failure(digits === undefined ? 'unexpected end of string' : clauseProblem('could not find end of precision specifier'));
    text += formatClause(letter, digits, args.get(used));
    used++;
    at += whole.length - 1;
  }
  return text;
}

const clauseProblem = (problem: string): string => `could not parse formatting clause: error while parsing precision: ${problem}`;

function formatClause(letter: string, digits: string | undefined, value: CELValue): string {
  const precision = digits === undefined || digits === '' ? defaultPrecision : Number(digits);
  if (precision > maxPrecision) throw new Failure(clauseProblem(`precision ${precision} is too large`));
  switch (letter) {
    case 's':
      return asString(value);
    case 'd':
      return asDecimal(value);
    case 'f':
      return asDouble(value, 'fixed-point clause can only be used on doubles', (number) => fixed(number, precision));
    case 'e':
      return asDouble(value, 'scientific clause can only be used on doubles', (number) => scientific(number, precision));
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return inBase(value, 2, 'only integers and bools can be formatted as binary');
    case 'o':
      return inBase(value, 8, 'octal clause can only be used on integers');
    case 'x':
      return hex(value);
    case 'X':
      return hex(value).toUpperCase();
    default:
      throw new Failure(`could not parse formatting clause: unrecognized formatting clause "${letter}"`);
  }
}

function integer(value: CELValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return value instanceof UintValue ? value.value : undefined;
}

function inBase(value: CELValue, base: 2 | 8, problem: string): string {
  const number = integer(value);
  if (number === undefined) throw failure(`${problem}, was given ${typeName(value)}`);
  return number.toString(base);
}

function hex(value: CELValue): string {
  const number = integer(value);
  if (number !== undefined) return number.toString(16);
  const bytes = typeof value === 'string' ? encoder.encode(value) : value;
  if (bytes instanceof Uint8Array) return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  throw failure(`only integers, byte buffers, and strings can be formatted as hex, was given ${typeName(value)}`);
}

function asDecimal(value: CELValue): string {
  const number = integer(value);
  if (number !== undefined) return String(number);
  if (typeof value === 'number' && !Number.isFinite(value)) return special(value);
  throw failure(`decimal clause can only be used on integers, was given ${typeName(value)}`);
}

const specials: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

const special = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity');

function asDouble(value: CELValue, problem: string, format: (value: number) => string): string {
  const number = typeof value === 'string' ? specials.get(value) : (integer(value) ?? value);
  if (typeof number !== 'number' && typeof number !== 'bigint') throw failure(`${problem}, was given ${typeName(value)}`);
  const double = Number(number);
  return Number.isFinite(double) ? format(double) : special(double);
}

/** Ties go to the even digit, as in Go; JavaScript takes the larger number. */
function fixed(value: number, precision: number): string {
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`;
  const exact = value.toFixed(mostDigits);
  const cut = exact.indexOf('.') + 1 + precision;
  const kept = precision === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut);
  return /^50*$/.test(exact.slice(cut)) && '02468'.includes(kept.at(-1) ?? '') ? kept : value.toFixed(precision);
}

function scientific(value: number, precision: number): string {
  const [digits = '0', exponent = '+0'] = value.toExponential(precision).split('e');
  const size = exponent.replace(/^[+-]/, '');
  return `${digits}e${exponent.startsWith('-') ? '-' : '+'}${size.padStart(2, '0')}`;
}

function asString(value: CELValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? formatDouble(value) : special(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return decoder.decode(value);
  switch (value.kind) {
    case 'uint':
      return String(value.value);
    case 'timestamp':
      return formatTimestamp(value.ns);
    case 'duration':
      return formatDurationSeconds(value.ns);
    case 'type':
      return value.name;
    case 'list':
      return `[${elementsOf(value).map(asString).join(', ')}]`;
    case 'map':
      return mapAsString(value);
    default:
      throw failure(
        `string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeName(value)}`,
      );
  }
}

function mapAsString(map: MapValue): string {
  const entries = map.keys().map((key) => [asString(key), asString(map.find(key) ?? null)] as const);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')}}`;
}
