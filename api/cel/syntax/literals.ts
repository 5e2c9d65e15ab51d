import { Failure } from '../types/values.ts';

const simpleEscapes: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 92],
  ["'", 39],
  ['"', 34],
  ['`', 96],
  ['?', 63],
]);
const digitsOf: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['X', 2],
  ['u', 4],
  ['U', 8],
]);

interface Escape {
  readonly code: number;
  readonly length: number;
  /** Whether it is an escape of a byte, not of a code point. */
  readonly isByte: boolean;
}

/** Reads the escape sequence that begins with the backslash at `at`. */
function escapeAt(body: string, at: number): Escape {
  const letter = body[at + 1];
  if (letter === undefined) throw new Failure(`unable to unescape string, found '\\' as last character`);
  const known = simpleEscapes.get(letter);
  if (known !== undefined) return { code: known, length: 2, isByte: false };
  const count = digitsOf.get(letter);
  if (count !== undefined) {
    const digits = body.slice(at + 2, at + 2 + count);
    if (digits.length < count || !/^[0-9a-fA-F]+$/.test(digits)) throw new Failure('unable to unescape string');
    return { code: Number.parseInt(digits, 16), length: 2 + count, isByte: count === 2 };
  }
  const octal = body.slice(at + 1, at + 4);
  if (!/^[0-3][0-7]{2}$/.test(octal)) {
    throw new Failure(/^[0-7]/.test(letter) ? 'unable to unescape octal sequence in string' : 'unable to unescape string');
  }
  return { code: Number.parseInt(octal, 8), length: 4, isByte: true };
}

/** Throws Failure. */
export function parseStringLiteral(body: string, raw: boolean): string {
  const text = body.replace(/\r\n?/g, '\n');
  if (raw || !text.includes('\\')) return text;
  let value = '';
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '\\') {
      value += text[at];
      at++;
      continue;
    }
    const { code, length } = escapeAt(text, at);
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Failure('invalid unicode code point');
    value += String.fromCodePoint(code);
    at += length;
  }
  return value;
}

/** Throws Failure. */
export function parseBytesLiteral(body: string, raw: boolean): Uint8Array {
  const encoder = new TextEncoder();
  const text = body.replace(/\r\n?/g, '\n');
  if (raw || !text.includes('\\')) return encoder.encode(text);
  const bytes: number[] = [];
  let plain = '';
  const flush = () => {
    bytes.push(...encoder.encode(plain));
    plain = '';
  };
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '\\') {
      plain += text[at];
      at++;
      continue;
    }
    if (/[uU]/.test(text[at + 1] ?? '')) throw new Failure('unable to unescape bytes: unicode escapes are not allowed');
    const { code, length } = escapeAt(text, at);
    flush();
    bytes.push(code);
    at += length;
  }
  flush();
  return Uint8Array.from(bytes);
}
