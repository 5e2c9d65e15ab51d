/** A header block that cannot be read (RFC 7541): the connection cannot go on, its two ends no longer agree on the table. */
export class HPACKError extends Error {
  override readonly name = 'HPACKError';
}

export type Header = readonly [name: string, value: string];

/** RFC 7541 appendix A. */
const staticTable: readonly Header[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  ...[200, 204, 206, 304, 400, 404, 500].map((status): Header => [':status', String(status)]),
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition ' +
    'content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires from ' +
    'host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards ' +
    'proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security ' +
    'transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name): Header => [name, '']),
];

/** RFC 7541 appendix B: the length of each byte's code. The codes follow from them, as they are in canonical order. */
const codeLengths =
  '13 23 28*7 24 30 28 28 30 28*8 30 28*9 6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6*7 7 8 15 6 12 10 13 6 7*22 8 7 8 13 19 13 14 6 ' +
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7*5 15 11 14 13 28 20 22 20 20 22 22 22 23 22 23*5 24 23 24 24 22 23 24 23*4 21 22 23 22 ' +
  '23 23 24 22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 26 26 20 19 22 23 22 25 26 ' +
  '26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27*5 ' +
  '28 27*5 26 30';
const endOfString = 256;
const leafFlag = 0x10000;

/** A binary tree in an array: two places for each node, which hold the next node, or `leafFlag` and a byte; 0: no such code. */
function buildHuffmanTree(): Int32Array {
  const lengths = codeLengths.split(' ').flatMap((part) => {
    const [length = 0, count = 1] = part.split('*').map(Number);
    return Array.from({ length: count }, () => length);
  });
  const symbols = lengths.map((length, symbol) => ({ length, symbol })).sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  const tree = new Int32Array(2 * symbols.length);
  let nodes = 1;
  let code = 0;
  let width = 0;
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - width);
    width = length;
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const place = 2 * node + (Math.floor(code / 2 ** bit) % 2);
      if (bit === 0) tree[place] = leafFlag | symbol;
      else {
        if (!tree[place]) tree[place] = nodes++;
        node = tree[place] ?? 0;
      }
    }
    code++;
  }
  return tree;
}

let huffmanTree: Int32Array | undefined;

function decodeHuffman(bytes: Uint8Array): string {
  const tree = (huffmanTree ??= buildHuffmanTree());
  let text = '';
  let node = 0;
  let pending = 0;
  let onlyOnes = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      const next = tree[2 * node + one] ?? 0;
      pending++;
      if (one === 0) onlyOnes = false;
      if ((next & leafFlag) !== 0) {
        const symbol = next & ~leafFlag;
        if (symbol === endOfString) throw new HPACKError('the end of a string is encoded');
        text += String.fromCharCode(symbol);
        node = 0;
        pending = 0;
        onlyOnes = true;
      } else if (next === 0) throw new HPACKError('a string has an unknown code');
      else node = next;
    }
  }
  if (pending > 7 || !onlyOnes) throw new HPACKError('a string is padded wrongly');
  return text;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Size of an entry besides its name and value (RFC 7541 4.1). */
const entryOverhead = 32;

/** Reads the header blocks of one direction of one connection, in order. Values are Latin-1. */
export class HeaderDecoder {
  readonly #maxTableSize: number;
  readonly #table: Header[] = [];
  #tableSize = 0;
  #sizeLimit: number;
  #block: Uint8Array = new Uint8Array();
  #at = 0;

  /** `maxTableSize` as it was announced to the peer (SETTINGS_HEADER_TABLE_SIZE), bytes. */
  constructor(maxTableSize = 4096) {
    this.#maxTableSize = maxTableSize;
    this.#sizeLimit = maxTableSize;
  }

  /** Throws HPACKError. */
  decode(block: Uint8Array): Header[] {
    this.#block = block;
    this.#at = 0;
    const headers: Header[] = [];
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      if (first & 0x80) headers.push(this.#entry(this.#integer(7)));
      else if (first & 0x40) {
        const header = this.#literal(6);
        headers.push(header);
        this.#add(header);
      } else if (first & 0x20) this.#resize(this.#integer(5));
      else headers.push(this.#literal(4));
    }
    return headers;
  }

  #literal(prefixBits: number): Header {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): Header {
    const entry = index <= staticTable.length ? staticTable[index - 1] : this.#table[index - staticTable.length - 1];
    if (!entry) throw new HPACKError(`there is no header ${index}`);
    return entry;
  }

  #add(header: Header): void {
    this.#table.unshift(header);
    this.#tableSize += sizeOf(header);
    this.#evict();
  }

  #resize(limit: number): void {
    if (limit > this.#maxTableSize) throw new HPACKError('the table is made larger than allowed');
    this.#sizeLimit = limit;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableSize > this.#sizeLimit) {
      const oldest = this.#table.pop();
      this.#tableSize -= oldest ? sizeOf(oldest) : this.#tableSize;
    }
  }

  #integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = (this.#block[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#block[this.#at++];
      if (byte === undefined) throw new HPACKError('a header block is cut short');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new HPACKError('a number is too large');
  }

  #string(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw new HPACKError('a header block is cut short');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? decodeHuffman(bytes) : latin1(bytes);
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + entryOverhead;
}

/**
 * Encodes a header block that leaves the peer's table unchanged, so that the block may be made once and sent many times. Names are in lower
 * case; names and values are Latin-1.
 */
export function encodeHeaders(headers: readonly Header[]): Uint8Array {
  const bytes: number[] = [];
  for (const [name, value] of headers) {
    const exact = staticTable.findIndex((entry) => entry[0] === name && entry[1] === value && value !== '');
    if (exact >= 0) {
      pushInteger(bytes, 0x80, 7, exact + 1);
      continue;
    }
    const index = staticTable.findIndex((entry) => entry[0] === name) + 1;
    pushInteger(bytes, 0, 4, index);
    if (index === 0) pushString(bytes, name);
    pushString(bytes, value);
  }
  return Uint8Array.from(bytes);
}

function pushInteger(bytes: number[], flags: number, prefixBits: number, value: number): void {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | mask);
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}

function pushString(bytes: number[], text: string): void {
  pushInteger(bytes, 0, 7, text.length);
  for (let index = 0; index < text.length; index++) bytes.push(text.charCodeAt(index) & 0xff);
}
