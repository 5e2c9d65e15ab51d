import { quote } from '../base/quote.ts';
import { compareUTF8 } from '../base/utf8.ts';
import { formatJSON } from '../base/format-json.ts';

/**
 * One step of a path, in the notation of FieldsV1, which is also how steps are compared and looked up here:
 * `f:name` a field or map entry, `k:{"name":"web"}` an element of a list map, `v:"x"` an element of a set, `i:0` an index.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${formatScalar(value)}`;
}

/** `fields` sorted by name, without those the element does not have. */
export function keyElement(fields: readonly (readonly [name: string, value: unknown])[]): PathElement {
  return `k:{${fields.map(([name, value]) => keyMember(name, value)).join(',')}}`;
}

/** One `"name":value` member within the braces of a key element. */
export function keyMember(name: string, value: unknown): string {
  return `"${name}":${formatScalar(value)}`;
}

const plain = /^[\w ./:@+=,-]*$/;

/** A key element whose one key has a plain string value. Such an element, the usual case, can be written in only one way. */
const plainKey = /^\{"\w+":"[\w ./:@+=,-]*"\}$/;

/** JSON as Go writes it: with <, > and & escaped. */
function formatScalar(value: unknown): string {
  if (typeof value === 'string') {
    if (plain.test(value)) return `"${value}"`;
    return JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  }
  return formatJSON(value);
}

/**
 * The element in the spelling this file uses; undefined for kinds of elements that are unknown, which are to be ignored.
 * Throws an Error if the text is no path element.
 */
export function parsePathElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new Error('key must be 2 characters long:');
  if (text[1] !== ':') throw new Error(`missing colon: ${text}`);
  const content = text.slice(2);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(JSON.parse(content));
    case 'k':
      return plainKey.test(content) ? text : keyElement(sortedFields(JSON.parse(content) as Record<string, unknown>));
    case 'i':
      if (!/^-?\d+$/.test(content)) throw new Error(`invalid index: ${content}`);
      return `i:${Number(content)}`;
    default:
      return undefined;
  }
}

function sortedFields(key: Readonly<Record<string, unknown>>): (readonly [string, unknown])[] {
  return Object.entries(key).toSorted(([a], [b]) => compareUTF8(a, b));
}

/** `.name`, `[name="web"]`, `[="x"]`, `[0]`: how messages show an element. */
export function formatPathElement(element: PathElement): string {
  const content = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${content}`;
    case 'k':
      return `[${Object.entries(JSON.parse(content) as Record<string, unknown>)
        .map(([name, value]) => `${name}=${showScalar(value)}`)
        .join(',')}]`;
    case 'v':
      return `[=${showScalar(JSON.parse(content))}]`;
    default:
      return `[${content}]`;
  }
}

function showScalar(value: unknown): string {
  return typeof value === 'string' ? quote(value) : String(value);
}

const fieldKind = 0x66;
const ranks: Readonly<Record<string, number>> = { '.': 0, f: 1, k: 2, v: 3, i: 4 };

/** The order in which sets are written: `.` first, then fields, keys, values, indexes. */
export function comparePathElements(a: PathElement, b: PathElement): number {
  // Nearly all are fields.
  if (a.charCodeAt(0) === fieldKind && b.charCodeAt(0) === fieldKind) return compareUTF8(a, b);
  const kind = a.charAt(0);
  const rank = (ranks[kind] ?? 5) - (ranks[b.charAt(0)] ?? 5);
  if (rank !== 0) return rank;
  if (a === b) return 0;
  if (kind === 'i') return Number(a.slice(2)) - Number(b.slice(2));
  if (kind === 'k') {
    const start = plainValueStart(a);
    if (start > 0 && start === plainValueStart(b) && b.startsWith(a.slice(0, start)))
      return compareUTF8(a.slice(start, -2), b.slice(start, -2));
  }
  const left: unknown = JSON.parse(a.slice(2));
  const right: unknown = JSON.parse(b.slice(2));
  return kind === 'k' ? compareKeys(left as Record<string, unknown>, right as Record<string, unknown>) : compareScalars(left, right);
}

/**
 * The offset of the value in a key element with one string value without escapes, the usual case: `k:{"name":"web"}`. 0 for other elements.
 */
function plainValueStart(element: PathElement): number {
  const start = element.indexOf('":"') + 3;
  const isPlain = start > 2 && element.indexOf('"', start) === element.length - 2 && !element.includes('\\');
  return isPlain ? start : 0;
}

function compareKeys(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): number {
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (const [index, [name, value]] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareUTF8(name, other[0]) || compareScalars(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Numbers, then strings, then booleans, then null. */
function compareScalars(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareUTF8(a, b);
  const rank = (value: unknown) => (typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : typeof value === 'boolean' ? 2 : 3);
  return rank(a) - rank(b) || Number(a) - Number(b);
}
