import type { Issue } from './issues.ts';
import { parseBytesLiteral, parseStringLiteral } from './literals.ts';
import { type CELValue, Failure, UintValue } from '../types/values.ts';

/** `broken`: no token; it has been reported and is left out. */
type TokenKind = 'end' | 'ident' | 'quoted' | 'literal' | 'punctuation' | 'broken';

export interface Token {
  readonly kind: TokenKind;
  /** The token as the source spells it. */
  readonly text: string;
  readonly offset: number;
  /** The value of literals other than numbers, whose sign is not known yet. */
  readonly value?: CELValue;
}

const punctuation = [
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '<',
  '>',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '.',
  ',',
  '-',
  '!',
  '?',
  ':',
  '+',
  '*',
  '/',
  '%',
];
const stringStart = /[rRbB]{0,2}("""|'''|"|')/y;
const number = /0x[0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|\d+[uU]?/y;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
const quotedIdentifier = /`[A-Za-z0-9_.\-/ ]+`/y;
const blank = /(?:[ \t\r\n\f]+|\/\/[^\n]*)/y;

function matchAt(pattern: RegExp, source: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0];
}

/** The tokens of an expression; the last has the kind `end`. Characters that belong to no token are reported and skipped. */
export function tokenize(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < source.length) {
    const space = matchAt(blank, source, offset);
    if (space !== undefined) {
      offset += space.length;
      continue;
    }
    const token = tokenAt(source, offset, issues);
    if (token === undefined) {
      const character = String.fromCodePoint(source.codePointAt(offset) ?? 0);
      // Half of an operator: the character in place of its other half is part of the wrong token.
      const wrong = '|&='.includes(character)
        ? character + String.fromCodePoint(source.codePointAt(offset + 1) ?? 0).replace('\0', '')
        : character;
      issues.push({ offset, message: `Syntax error: token recognition error at: '${wrong}'` });
      offset += wrong.length;
      continue;
    }
    if (token.kind !== 'broken') tokens.push(token);
    offset += token.text.length;
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length });
  return tokens;
}

function tokenAt(source: string, offset: number, issues: Issue[]): Token | undefined {
  const open = matchAt(stringStart, source, offset);
  if (open !== undefined) return stringAt(source, offset, open, issues);
  const digits = matchAt(number, source, offset);
  if (digits !== undefined) return { kind: 'literal', text: digits, offset };
  const name = matchAt(identifier, source, offset);
  if (name !== undefined) return wordAt(name, offset);
  const quoted = matchAt(quotedIdentifier, source, offset);
  if (quoted !== undefined) return { kind: 'quoted', text: quoted, offset };
  const sign = punctuation.find((candidate) => source.startsWith(candidate, offset));
  return sign === undefined ? undefined : { kind: 'punctuation', text: sign, offset };
}

function wordAt(name: string, offset: number): Token {
  if (name === 'true' || name === 'false') return { kind: 'literal', text: name, offset, value: name === 'true' };
  if (name === 'null') return { kind: 'literal', text: name, offset, value: null };
  return name === 'in' ? { kind: 'punctuation', text: name, offset } : { kind: 'ident', text: name, offset };
}

function stringAt(source: string, offset: number, open: string, issues: Issue[]): Token | undefined {
  const prefix = /^[rRbB]*/.exec(open)?.[0].toLowerCase() ?? '';
  // `rr"..."` is no prefix, but the name rr before a string.
  if (prefix === 'rr' || prefix === 'bb') return wordAt(prefix, offset);
  const quoteMark = open.slice(prefix.length);
  const raw = prefix.includes('r');
  const start = offset + open.length;
  let end = start;
  while (end < source.length && !source.startsWith(quoteMark, end)) {
    if (quoteMark.length === 1 && (source[end] === '\n' || source[end] === '\r')) break;
    end += source[end] === '\\' && !raw ? 2 : 1;
  }
  if (!source.startsWith(quoteMark, end)) {
    issues.push({ offset, message: `Syntax error: token recognition error at: '${source.slice(offset, end)}'` });
    return { kind: 'broken', text: source.slice(offset, Math.min(end, source.length)), offset };
  }
  const text = source.slice(offset, end + quoteMark.length);
  try {
    const body = source.slice(start, end);
    return { kind: 'literal', text, offset, value: prefix.includes('b') ? parseBytesLiteral(body, raw) : parseStringLiteral(body, raw) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    issues.push({ offset, message: error.message });
    return { kind: 'literal', text, offset, value: prefix.includes('b') ? new Uint8Array() : '' };
  }
}

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;
const maxUint64 = 2n ** 64n - 1n;

/** The value of a number as written, with its sign. Throws Failure where no 64 bits hold it. */
export function parseNumber(text: string): CELValue {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  if (digits.startsWith('0x') || /^\d+[uU]?$/.test(digits)) {
    const unsigned = /[uU]$/.test(digits);
    const size = BigInt(unsigned ? digits.slice(0, -1) : digits);
    const value = negative ? -size : size;
    if (unsigned && value <= maxUint64) return new UintValue(value);
    if (!unsigned && value >= minInt64 && value <= maxInt64) return value;
    throw new Failure(unsigned ? 'invalid uint literal' : 'invalid int literal');
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Failure('invalid double literal');
  return value;
}
