import { namedEscapes } from '../../base/quote.ts';
import { declare, global, member } from './declare.ts';
import { elementsOf } from './standard/operators.ts';
import { dynType, intType, listType, stringType } from '../types/types.ts';
import { Failure, type ListValue, NativeList, typeName } from '../types/values.ts';
import { formatText } from './format-text.ts';
import type { Library } from '../declarations.ts';

const outOfRange = (index: bigint | number): Failure => new Failure(`index out of range: ${index}`);

/** The text as code points, which indices count. */
const codePoints = (text: string): string[] => [...text];
const isPlain = (text: string): boolean => !/[\ud800-\udfff]/.test(text);

function slice(text: string, start: number, end?: number): string {
  return isPlain(text) ? text.slice(start, end) : codePoints(text).slice(start, end).join('');
}

function lengthOf(text: string): number {
  return isPlain(text) ? text.length : codePoints(text).length;
}

/** Converts an index of UTF-16 units into an index of code points. */
function pointIndex(text: string, unit: number): bigint {
  return BigInt(unit < 0 || isPlain(text) ? unit : codePoints(text.slice(0, unit)).length);
}

function unitIndex(text: string, point: number): number {
  return isPlain(text) ? point : codePoints(text).slice(0, point).join('').length;
}

function charAt(text: string, index: bigint): string {
  const length = lengthOf(text);
  if (index < 0n || index > BigInt(length)) throw outOfRange(index);
  return slice(text, Number(index), Number(index) + 1);
}

function indexOf(text: string, part: string, from = 0n): bigint {
  if (part === '') return from;
  if (from < 0n || from > BigInt(lengthOf(text))) throw outOfRange(from);
  return pointIndex(text, text.indexOf(part, unitIndex(text, Number(from))));
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const length = lengthOf(text);
  if (part === '') return from ?? BigInt(length);
  if (from !== undefined && (from < 0n || from > BigInt(length))) throw outOfRange(from);
  return pointIndex(text, text.lastIndexOf(part, from === undefined ? text.length : unitIndex(text, Number(from))));
}

function replace(text: string, old: string, fresh: string, limit = -1n): string {
  if (limit < 0n) return old === '' ? replaceCount(text, old, fresh, Number.POSITIVE_INFINITY) : text.split(old).join(fresh);
  return replaceCount(text, old, fresh, Number(limit));
}

function replaceCount(text: string, old: string, fresh: string, limit: number): string {
  if (old === '') {
    const points = codePoints(text);
    const made = points.map((point, index) => (index < limit ? fresh : '') + point).join('');
    return points.length < limit ? made + fresh : made;
  }
  const parts = text.split(old);
  const replaced = Math.min(limit, parts.length - 1);
  return (
    parts
      .slice(0, replaced)
      .map((part) => part + fresh)
      .join('') + parts.slice(replaced).join(old)
  );
}

function split(text: string, separator: string, limit = -1n): NativeList {
  if (limit === 0n) return new NativeList([]);
  const parts = separator === '' ? codePoints(text) : text.split(separator);
  if (limit < 0n || parts.length <= Number(limit)) return new NativeList(parts);
  const kept = Number(limit) - 1;
  return new NativeList([...parts.slice(0, kept), parts.slice(kept).join(separator)]);
}

function substring(text: string, start: bigint, end: bigint): string {
  const length = BigInt(lengthOf(text));
  if (start > end)
    throw new Failure(start > length || start < 0n ? outOfRange(start).message : `invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) throw outOfRange(start);
  if (end < 0n || end > length) throw outOfRange(end);
  return slice(text, Number(start), Number(end));
}

function substringFrom(text: string, start: bigint): string {
  if (start < 0n || start > BigInt(lengthOf(text))) throw outOfRange(start);
  return slice(text, Number(start));
}

function join(list: ListValue, separator = ''): string {
  return elementsOf(list)
    .map((element) => {
      if (typeof element !== 'string') throw new Failure(`join: invalid input: ${typeName(element)}`);
      return element;
    })
    .join(separator);
}

const lowerAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const upperAscii = (text: string): string => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
/** Trims Unicode's white space: JavaScript's trim takes the byte order mark too, and leaves U+0085. */
const trim = (text: string): string => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');

/** The text as a literal of CEL. */
function quote(text: string): string {
  return `"${[...text.toWellFormed()].map((character) => namedEscapes.get(character) ?? character).join('')}"`;
}

const listOfStrings = listType(stringType);
const s = stringType;

/** String functions, in the version Kubernetes has. */
export const stringsLibrary: Library = {
  functions: [
    declare('charAt', member('string_char_at_int', [s, intType], s, charAt)),
    declare(
      'indexOf',
      member('string_index_of_string', [s, s], intType, (text: string, part: string) => indexOf(text, part)),
      member('string_index_of_string_int', [s, s, intType], intType, (text: string, part: string, from: bigint) =>
        indexOf(text, part, from),
      ),
    ),
    declare(
      'lastIndexOf',
      member('string_last_index_of_string', [s, s], intType, (text: string, part: string) => lastIndexOf(text, part)),
      member('string_last_index_of_string_int', [s, s, intType], intType, (text: string, part: string, from: bigint) =>
        lastIndexOf(text, part, from),
      ),
    ),
    declare('lowerAscii', member('string_lower_ascii', [s], s, lowerAscii)),
    declare('upperAscii', member('string_upper_ascii', [s], s, upperAscii)),
    declare(
      'replace',
      member('string_replace_string_string', [s, s, s], s, (text: string, old: string, fresh: string) => replace(text, old, fresh)),
      member('string_replace_string_string_int', [s, s, s, intType], s, (text: string, old: string, fresh: string, limit: bigint) =>
        replace(text, old, fresh, limit),
      ),
    ),
    declare(
      'split',
      member('string_split_string', [s, s], listOfStrings, (text: string, separator: string) => split(text, separator)),
      member('string_split_string_int', [s, s, intType], listOfStrings, (text: string, separator: string, limit: bigint) =>
        split(text, separator, limit),
      ),
    ),
    declare(
      'substring',
      member('string_substring_int', [s, intType], s, substringFrom),
      member('string_substring_int_int', [s, intType, intType], s, (text: string, start: bigint, end: bigint) =>
        substring(text, start, end),
      ),
    ),
    declare('trim', member('string_trim', [s], s, trim)),
    declare(
      'join',
      member('list_join', [listOfStrings], s, (list: ListValue) => join(list)),
      member('list_join_string', [listOfStrings, s], s, (list: ListValue, separator: string) => join(list, separator)),
    ),
    declare('format', member('string_format', [s, listType(dynType)], s, formatText)),
    declare('strings.quote', global('strings_quote', [s], s, quote)),
  ],
};
