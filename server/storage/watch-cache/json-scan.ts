/**
 * Finds places in JSON bytes without parsing them, in any well-formed JSON. Where the bytes alone do not decide (escapes in a key) it
 * returns `odd`, and the caller parses.
 */

/** No such member. */
export const absent = -1;
/** The result when the bytes alone do not decide. */
export const odd = -2;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

export function isOpenBrace(json: Uint8Array, at: number): boolean {
  return json[at] === openBrace;
}

export function isCloseBrace(json: Uint8Array, at: number): boolean {
  return json[at] === closeBrace;
}

export function skipSpace(json: Uint8Array, from: number): number {
  let at = from;
  for (let byte = json[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = json[at]) at++;
  return at;
}

/** The index behind the value that begins at `from`; beyond the end where it is cut off. */
export function skipValue(json: Uint8Array, from: number): number {
  const first = json[from];
  if (first === quote) return skipString(json, from);
  if (first === openBrace || first === openBracket) return skipNested(json, from);
  let at = from;
  for (; at < json.length; at++) {
    const byte = json[at];
    if (byte === comma || byte === closeBrace || byte === closeBracket || (byte !== undefined && byte <= 0x20)) break;
  }
  return at;
}

/** The offset of a member's value in the object whose brace is at `open`, or `absent`, or `odd`. */
export function findMember(json: Uint8Array, open: number, name: string): number {
  let at = skipSpace(json, open + 1);
  while (json[at] === quote) {
    const end = skipString(json, at);
    const matches = isName(json, at + 1, end - 1, name);
    if (!matches && json.subarray(at, end).includes(backslash)) return odd;
    at = skipSpace(json, end);
    if (json[at] !== colon) return odd;
    at = skipSpace(json, at + 1);
    if (matches) return at;
    at = skipSpace(json, skipValue(json, at));
    if (json[at] === closeBrace) return absent;
    if (json[at] !== comma) return odd;
    at = skipSpace(json, at + 1);
  }
  return json[at] === closeBrace ? absent : odd;
}

/** The offset that findMember finds, for a member of members: `path` leads from the outermost object. */
export function findPath(json: Uint8Array, path: readonly string[]): number {
  let at = skipSpace(json, 0);
  if (json[at] !== openBrace) return odd;
  for (const name of path) {
    if (json[at] !== openBrace) return absent;
    at = findMember(json, at, name);
    if (at < 0) return at;
  }
  return at;
}

function skipString(json: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < json.length) {
    const byte = json[at];
    if (byte === quote) return at + 1;
    at += byte === backslash ? 2 : 1;
  }
  return at;
}

function skipNested(json: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  while (at < json.length) {
    const byte = json[at];
    if (byte === quote) {
      at = skipString(json, at);
      continue;
    }
    at++;
    if (byte === openBrace || byte === openBracket) depth++;
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return at;
  }
  return at;
}

/** Whether the bytes of a key are this name, which is ASCII. */
function isName(json: Uint8Array, from: number, to: number, name: string): boolean {
  if (to - from !== name.length) return false;
  for (let at = 0; at < name.length; at++) if (json[from + at] !== name.charCodeAt(at)) return false;
  return true;
}
