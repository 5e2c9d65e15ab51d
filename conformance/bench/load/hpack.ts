/** The part of HPACK (RFC 7541) that a generator of a few kinds of requests needs. */

export interface RequestEncoder {
  encode(method: string, path: string, contentType: string | undefined): Buffer;
}

/** Indexes of the static table. */
const names = { authority: 1, method: 2, path: 4, status: 8, accept: 19, authorization: 23, contentType: 31 } as const;
const indexedMethods: Readonly<Record<string, number>> = { GET: 2, POST: 3 };
const schemeHTTPS = 7;
const indexedStatuses = [200, 204, 206, 304, 400, 404, 500];
const firstDynamic = 62;
const incremental = 0x40;

function integer(value: number, prefixBits: number, pattern: number): number[] {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return [pattern | value];
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from(integer(Buffer.byteLength(value), 7, 0)), Buffer.from(value)]);
}

/** A literal whose name is in the static table; with `incremental` the peer remembers it. */
function literal(name: number, value: string, pattern: number): Buffer {
  return Buffer.concat([Buffer.from(integer(name, pattern === incremental ? 6 : 4, pattern)), text(value)]);
}

/** Authority, token and accept are put into the peer's table with the first request; later ones refer to them by index. */
export function createRequestEncoder(authority: string, authorization: string): RequestEncoder {
  const first = Buffer.concat([
    literal(names.authority, authority, incremental),
    literal(names.accept, 'application/json', incremental),
    literal(names.authorization, authorization, incremental),
  ]);
  const later = Buffer.from([0x80 | (firstDynamic + 2), 0x80 | (firstDynamic + 1), 0x80 | firstDynamic]);
  const starts = new Map<string, Buffer>();
  const contentTypes = new Map<string, Buffer>();
  let isFirst = true;
  const startOf = (method: string): Buffer => {
    const known = starts.get(method);
    if (known) return known;
    const index = indexedMethods[method];
    const start = index === undefined ? literal(names.method, method, 0) : Buffer.from([0x80 | index]);
    starts.set(method, start);
    return start;
  };
  const contentTypeOf = (contentType: string): Buffer => {
    const known = contentTypes.get(contentType);
    if (known) return known;
    const made = literal(names.contentType, contentType, 0);
    contentTypes.set(contentType, made);
    return made;
  };
  return {
    encode(method, path, contentType) {
      // The pseudo-headers come first.
      const parts = [startOf(method), Buffer.from([0x80 | schemeHTTPS]), literal(names.path, path, 0), isFirst ? first : later];
      isFirst = false;
      if (contentType !== undefined) parts.push(contentTypeOf(contentType));
      return Buffer.concat(parts);
    },
  };
}

/** Code and length in bits of the digits 0 to 9 in HPACK's Huffman code. */
const digitCodes = [
  [0, 5],
  [1, 5],
  [2, 5],
  [25, 6],
  [26, 6],
  [27, 6],
  [28, 6],
  [29, 6],
  [30, 6],
  [31, 6],
] as const;

/** The status with which a block of headers begins; undefined if it begins with something else, as trailers do. */
export function readStatus(block: Buffer): number | undefined {
  let at = 0;
  // Changes of the table's size, which come first, are all to zero.
  while (((block[at] ?? 0) & 0xe0) === 0x20) at++;
  const byte = block[at] ?? 0;
  if ((byte & 0x80) !== 0) return indexedStatuses[(byte & 0x7f) - names.status];
  const name = (byte & 0x40) !== 0 ? byte & 0x3f : byte & 0x0f;
  // The table has the name seven times, with a status each; an encoder may take any of them.
  if (name < names.status || name >= names.status + indexedStatuses.length) return undefined;
  const length = block[at + 1] ?? 0;
  const value = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return (length & 0x80) === 0 ? Number(value.toString('latin1')) : readHuffmanDigits(value);
}

function readHuffmanDigits(value: Buffer): number {
  let bits = '';
  for (const byte of value) bits += byte.toString(2).padStart(8, '0');
  let digits = '';
  while (digits.length < 3) {
    const digit = digitCodes.findIndex(([code, length]) => bits.startsWith(code.toString(2).padStart(length, '0')));
    if (digit === -1) return Number.NaN;
    digits += digit;
    bits = bits.slice(digitCodes[digit]?.[1]);
  }
  return Number(digits);
}
