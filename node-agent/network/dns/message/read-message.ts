import { recordType } from './codes.ts';

/** A message that is no DNS message. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

interface Question {
  /** Without the dot at the end, in the client's spelling; empty for the root. Bytes outside ASCII as Latin-1. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

export interface ReadRecord {
  readonly section: 'answer' | 'authority' | 'additional';
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  /** The offset of the TTL, for those who pass the message on later. */
  readonly ttlOffset: number;
  readonly dataOffset: number;
  readonly dataLength: number;
}

/** The fields that EDNS (RFC 6891) adds. */
export interface EDNS {
  readonly udpSize: number;
  readonly version: number;
  /** The client wants signatures. */
  readonly dnssecOK: boolean;
}

export interface ReadMessage {
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly flags: number;
  /** The code of the header; extended codes are not joined. */
  readonly code: number;
  readonly questions: readonly Question[];
  /** All questions as they came. The first has no pointers: there is nothing yet to point at. */
  readonly questionBytes: Uint8Array;
  readonly records: readonly ReadRecord[];
  readonly edns?: EDNS;
}

const headerLength = 12;

/** Throws MalformedMessageError. */
export function readMessage(bytes: Uint8Array): ReadMessage {
  if (bytes.length < headerLength) throw new MalformedMessageError('shorter than a header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number) => {
    if (offset + 2 > bytes.length) throw new MalformedMessageError('cut off');
    return view.getUint16(offset);
  };
  let offset = headerLength;
  const questions: Question[] = [];
  for (let count = word(4); count > 0; count--) {
    const { name, end } = readName(bytes, offset);
    questions.push({ name, type: word(end), class: word(end + 2) });
    offset = end + 4;
  }
  const questionsEnd = offset;
  const records: ReadRecord[] = [];
  for (const [section, countAt] of sections) {
    for (let count = word(countAt); count > 0; count--) {
      const { name, end } = readName(bytes, offset);
      const dataLength = word(end + 8);
      const dataOffset = end + 10;
      if (dataOffset + dataLength > bytes.length) throw new MalformedMessageError('cut off');
      const ttl = view.getUint32(end + 4);
      records.push({ section, name, type: word(end), class: word(end + 2), ttl, ttlOffset: end + 4, dataOffset, dataLength });
      offset = dataOffset + dataLength;
    }
  }
  const option = records.find(({ type, section }) => type === recordType.OPT && section === 'additional');
  const flags = word(2);
  return {
    bytes,
    id: word(0),
    flags,
    code: flags & 15,
    questions,
    questionBytes: bytes.subarray(headerLength, questionsEnd),
    records,
    ...(option === undefined
      ? {}
      : { edns: { udpSize: option.class, version: (option.ttl >>> 16) & 255, dnssecOK: (option.ttl & 0x8000) !== 0 } }),
  };
}

const sections = [
  ['answer', 6],
  ['authority', 8],
  ['additional', 10],
] as const;

/** Reads a name, following pointers, which may only lead back. `end` is where the name ends in place. */
export function readName(bytes: Uint8Array, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let [offset, end, limit, length] = [start, -1, start, 0];
  for (;;) {
    const size = bytes[offset];
    if (size === undefined) throw new MalformedMessageError('cut off');
    if (size === 0) return { name: labels.join('.'), end: end < 0 ? offset + 1 : end };
    if ((size & 0xc0) === 0xc0) {
      const low = bytes[offset + 1];
      if (low === undefined) throw new MalformedMessageError('cut off');
      if (end < 0) end = offset + 2;
      offset = ((size & 0x3f) << 8) | low;
      if (offset >= limit || offset < headerLength) throw new MalformedMessageError('a name points astray');
      limit = offset;
      continue;
    }
    if (size > 63 || offset + 1 + size > bytes.length) throw new MalformedMessageError('a label is too long');
    length += size + 1;
    if (length > 254) throw new MalformedMessageError('a name is too long');
    labels.push(labelText(bytes.subarray(offset + 1, offset + 1 + size)));
    offset += 1 + size;
  }
}

function labelText(label: Uint8Array): string {
  let text = '';
  // A dot inside a label must not look like its end; names of the zone have no such labels.
  for (const byte of label) text += byte === 0x2e ? '\\.' : String.fromCharCode(byte);
  return text;
}
