import { SPDYError } from './spdy-error.ts';

/** Names and values of one header block, names in lower case. Several values of a name are joined by '\0'. */
export type SPDYHeaders = ReadonlyMap<string, string>;

/**
 * Inflates the header blocks of one connection in order; keeps its state between calls. A zlib stream with spdyDictionary as
 * preset dictionary, flushed after each block.
 */
export type InflateHeaders = (block: Uint8Array) => Promise<Uint8Array>;

/**
 * Makes header blocks of one direction of one connection. They are a zlib stream of stored blocks, which needs neither a
 * compressor nor the dictionary; the empty block at the end is the sync flush without which Go's reader waits for more.
 */
export function createSPDYHeaderEncoder(): (headers: Readonly<Record<string, string>>) => Uint8Array {
  let isFirst = true;
  return (headers) => {
    const raw = encodePairs(Object.entries(headers));
    const bytes: number[] = isFirst ? [0x78, 0x01] : [];
    isFirst = false;
    for (let offset = 0; offset < raw.length; offset += 0xffff) {
      const part = raw.subarray(offset, offset + 0xffff);
      bytes.push(0, part.length & 0xff, part.length >> 8, ~part.length & 0xff, (~part.length >> 8) & 0xff, ...part);
    }
    bytes.push(0, 0, 0, 0xff, 0xff);
    return Uint8Array.from(bytes);
  };
}

function encodePairs(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const encoder = new TextEncoder();
  const texts = pairs.flatMap(([name, value]) => [encoder.encode(name.toLowerCase()), encoder.encode(value)]);
  const bytes = new Uint8Array(4 + texts.reduce((sum, text) => sum + 4 + text.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, pairs.length);
  let offset = 4;
  for (const text of texts) {
    view.setUint32(offset, text.length);
    bytes.set(text, offset + 4);
    offset += 4 + text.length;
  }
  return bytes;
}

/** Reads an inflated header block. Throws SPDYError. */
export function parseSPDYHeaders(raw: Uint8Array): SPDYHeaders {
  const headers = new Map<string, string>();
  if (raw.length === 0) return headers;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  let offset = 0;
  const readWord = (): number => {
    if (offset + 4 > raw.length) throw new SPDYError('header block is too short');
    offset += 4;
    return view.getUint32(offset - 4);
  };
  const readText = (): string => {
    const length = readWord();
    if (offset + length > raw.length) throw new SPDYError('header block is too short');
    offset += length;
    return new TextDecoder().decode(raw.subarray(offset - length, offset));
  };
  for (let count = readWord(); count > 0; count--) {
    const name = readText().toLowerCase();
    headers.set(name, readText());
  }
  return headers;
}
