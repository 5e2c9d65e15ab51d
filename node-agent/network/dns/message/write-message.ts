import { parseIP } from '../../../../api/base/ip-address.ts';
import { flag, internetClass, recordType } from './codes.ts';
import type { EDNS } from './read-message.ts';

/** A record to be written. Names without the dot at the end. */
export type DNSRecord = { readonly name: string; readonly ttl: number } & RecordData;

type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'SRV'; readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
  | { readonly type: 'SOA'; readonly primary: string; readonly mailbox: string; readonly serial: number; readonly timers: SOATimers };

/** Seconds. */
interface SOATimers {
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long a negative answer may be kept. */
  readonly minimum: number;
}

interface WrittenMessage {
  readonly id: number;
  readonly flags: number;
  /** Up to 4095; more than 15 needs `edns`. */
  readonly code: number;
  /** The question as it came (see ReadMessage.questionBytes). */
  readonly question?: Uint8Array;
  readonly answers?: readonly DNSRecord[];
  readonly authorities?: readonly DNSRecord[];
  readonly additionals?: readonly DNSRecord[];
  readonly edns?: EDNS;
  /** The most bytes of the message. Records beyond it are left out, and the truncation bit is set if an answer is missing. */
  readonly maxSize: number;
}

/** Writes a message with compressed names (RFC 1035, 4.1.4). */
export function writeMessage(message: WrittenMessage): Uint8Array {
  const { edns } = message;
  const writer = new Writer();
  const ednsLength = edns === undefined ? 0 : 11;
  const limit = message.maxSize - ednsLength;
  writer.words(message.id, 0, message.question === undefined ? 0 : 1, 0, 0, 0);
  if (message.question !== undefined) writer.question(message.question);
  const counts = [message.answers, message.authorities, message.additionals].map((records = []) => {
    let count = 0;
    for (const record of records) {
      const start = writer.length;
      writer.record(record);
      if (writer.length > limit) {
        writer.cutTo(start);
        break;
      }
      count++;
    }
    return count;
  });
  const [answers = 0, authorities = 0, additionals = 0] = counts;
  const isTruncated = answers < (message.answers?.length ?? 0);
  if (edns !== undefined) {
    writer.bytes([0]);
    writer.words(recordType.OPT, edns.udpSize, ((message.code >> 4) << 8) | edns.version, edns.dnssecOK ? 0x8000 : 0, 0);
  }
  writer.setWord(2, message.flags | (message.code & 15) | (isTruncated ? flag.truncated : 0));
  writer.setWord(6, answers);
  writer.setWord(8, authorities);
  writer.setWord(10, additionals + (edns === undefined ? 0 : 1));
  return writer.result();
}

/** Encodes a question of a message. */
export function encodeQuestion(name: string, type: number): Uint8Array {
  const writer = new Writer();
  writer.name(name);
  writer.words(type, internetClass);
  return writer.result();
}

class Writer {
  #buffer = Buffer.alloc(512);
  #length = 0;
  /** The offset of each name (in lower case) that was written, for pointers to it. */
  readonly #names = new Map<string, number>();
  /** The whole name that was pointed to last. */
  #lastName: string | undefined;
  #lastOffset = 0;

  get length(): number {
    return this.#length;
  }

  result(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  cutTo(length: number): void {
    this.#length = length;
    this.#lastName = undefined;
    for (const [name, offset] of this.#names) if (offset >= length) this.#names.delete(name);
  }

  bytes(bytes: ArrayLike<number>): void {
    this.#reserve(bytes.length);
    for (let index = 0; index < bytes.length; index++) this.#buffer[this.#length++] = bytes[index] ?? 0;
  }

  words(...words: readonly number[]): void {
    this.#reserve(words.length * 2);
    for (const word of words) {
      this.#buffer[this.#length++] = word >> 8;
      this.#buffer[this.#length++] = word;
    }
  }

  double(value: number): void {
    this.words(value >>> 16, value & 0xffff);
  }

  setWord(offset: number, word: number): void {
    this.#buffer.writeUInt16BE(word, offset);
  }

  name(name: string): void {
    // Most records of an answer have the same name.
    if (name === this.#lastName && this.#lastOffset < this.#length) return this.words(0xc000 | this.#lastOffset);
    const labels = name === '' ? [] : name.split('.');
    for (const [index, label] of labels.entries()) {
      const rest = labels.slice(index).join('.').toLowerCase();
      const known = this.#names.get(rest);
      if (known !== undefined) {
        if (index === 0) [this.#lastName, this.#lastOffset] = [name, known];
        return this.words(0xc000 | known);
      }
      if (this.#length < 0x4000) this.#names.set(rest, this.#length);
      this.bytes([label.length]);
      this.bytes(Buffer.from(label, 'latin1'));
    }
    this.bytes([0]);
  }

  /** Written as it came; names that end like the question's point into it, and so keep its spelling. */
  question(bytes: Uint8Array): void {
    const start = this.#length;
    this.bytes(bytes);
    const labels: { readonly text: string; readonly offset: number }[] = [];
    for (let offset = 0; (bytes[offset] ?? 0) > 0; offset += 1 + (bytes[offset] ?? 0)) {
      const end = offset + 1 + (bytes[offset] ?? 0);
      labels.push({
        text: Buffer.from(bytes.subarray(offset + 1, end))
          .toString('latin1')
          .toLowerCase(),
        offset: start + offset,
      });
    }
    for (const [index, { offset }] of labels.entries()) {
      const suffix = labels.slice(index).map(({ text }) => text);
      this.#names.set(suffix.join('.'), offset);
    }
  }

  record(record: DNSRecord): void {
    this.name(record.name);
    this.words(recordType[record.type], internetClass);
    this.double(record.ttl);
    const lengthAt = this.#length;
    this.words(0);
    this.#data(record);
    this.setWord(lengthAt, this.#length - lengthAt - 2);
  }

  #data(record: RecordData): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        return this.bytes(addressBytes(record.address));
      case 'CNAME':
      case 'PTR':
      case 'NS':
        return this.name(record.target);
      case 'TXT':
        this.bytes([record.text.length]);
        return this.bytes(Buffer.from(record.text, 'latin1'));
      case 'SRV':
        this.words(record.priority, record.weight, record.port);
        // Not compressed (RFC 2782), so it must not be pointed at from inside either.
        return this.#plainName(record.target);
      case 'SOA':
        this.name(record.primary);
        this.name(record.mailbox);
        this.double(record.serial);
        for (const timer of [record.timers.refresh, record.timers.retry, record.timers.expire, record.timers.minimum]) this.double(timer);
    }
  }

  #plainName(name: string): void {
    for (const label of name === '' ? [] : name.split('.')) {
      this.bytes([label.length]);
      this.bytes(Buffer.from(label, 'latin1'));
    }
    this.bytes([0]);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + count));
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }
}

function addressBytes(address: string): ArrayLike<number> {
  const parts = plainIPv4.exec(address);
  if (parts) return [Number(parts[1]), Number(parts[2]), Number(parts[3]), Number(parts[4])];
  const ip = parseIP(address);
  if (ip?.version !== 6) throw new TypeError(`no IP address: ${address}`);
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(ip.value >> 64n, 0);
  bytes.writeBigUInt64BE(ip.value & 0xffff_ffff_ffff_ffffn, 8);
  return bytes;
}

/** Large answers are made of these, for which big numbers are slow. */
const plainIPv4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)\.(25[0-5]|2[0-4]\d|1?\d?\d)\.(25[0-5]|2[0-4]\d|1?\d?\d)\.(25[0-5]|2[0-4]\d|1?\d?\d)$/;
