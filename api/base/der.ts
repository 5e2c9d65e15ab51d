/** Bytes that are not DER. */
export class DERError extends Error {
  constructor(message: string) {
    super(`asn1: ${message}`);
    this.name = 'DERError';
  }
}

/** One element of DER (X.690): identifier octet, content octets, and all its octets as they were written. */
export interface DERElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

/** Identifier octets of universal types. */
export const derTags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Reads bytes that are exactly one DER element. Throws DERError. */
export function readDER(bytes: Uint8Array): DERElement {
  const element = readElement(bytes, 0);
  if (element.raw.length !== bytes.length) throw new DERError('syntax error: trailing data');
  return element;
}

/** Reads the elements that follow one another in the content of a SEQUENCE or SET. Throws DERError. */
export function readDERElements(content: Uint8Array): DERElement[] {
  const elements: DERElement[] = [];
  for (let at = 0; at < content.length; ) {
    const element = readElement(content, at);
    elements.push(element);
    at += element.raw.length;
  }
  return elements;
}

/** Tags above 30 and lengths that DER does not allow (indefinite, longer than necessary) are errors. */
function readElement(bytes: Uint8Array, start: number): DERElement {
  const [tag, first] = [bytes[start], bytes[start + 1]];
  if (tag === undefined || first === undefined) throw new DERError('syntax error: truncated tag or length');
  if ((tag & 0x1f) === 0x1f) throw new DERError('structure error: tag number too large');
  let at = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0) throw new DERError('syntax error: indefinite length found (not DER)');
    if (count > 4) throw new DERError('structure error: length too large');
    length = 0;
    for (let nth = 0; nth < count; nth++, at++) length = length * 256 + (bytes[at] ?? Number.NaN);
    if (!(length >= 0)) throw new DERError('syntax error: truncated tag or length');
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DERError('structure error: non-minimal length');
  }
  if (at + length > bytes.length) throw new DERError('syntax error: data truncated');
  return { tag, content: bytes.subarray(at, at + length), raw: bytes.subarray(start, at + length) };
}

/** Writes an element whose content is the concatenation of `parts`. */
export function encodeDER(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const size: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | size.length, ...size];
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Writes an OBJECT IDENTIFIER, e.g. of `2.5.4.3`. */
export function encodeObjectIdentifier(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
    return digits;
  });
  return encodeDER(derTags.objectIdentifier, Uint8Array.from(bytes));
}

/** The dotted text of an OBJECT IDENTIFIER. Throws DERError for another element and for arcs written longer than necessary. */
export function readObjectIdentifier({ tag, content }: DERElement): string {
  const last = content.at(-1);
  if (tag !== derTags.objectIdentifier || last === undefined || last >= 0x80) throw new DERError('syntax error: invalid object identifier');
  const arcs: number[] = [];
  let arc = 0;
  let isFirstByte = true;
  for (const byte of content) {
    if (isFirstByte && byte === 0x80) throw new DERError('syntax error: integer is not minimally encoded');
    arc = arc * 128 + (byte & 0x7f);
    if (arc > 0x7fff_ffff) throw new DERError('structure error: base 128 integer too large');
    isFirstByte = byte < 0x80;
    if (!isFirstByte) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [joined = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(joined / 40));
  return [first, joined - first * 40, ...rest].join('.');
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
