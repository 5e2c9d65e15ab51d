/** The error for bytes that are not a protobuf message, or not of the expected type. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtobufError';
  }
}

/** Ways in which a value lies on the wire. Groups (3, 4) are not used. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const maxDepth = 500;
const shortText = 24;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Reads the fields of one message, one after the other. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #at = 0;

  /** `depth` is the number of messages around this one. Throws if they are too many for recursive code. */
  constructor(bytes: Uint8Array, depth = 0) {
    if (depth > maxDepth) throw new ProtobufError('exceeded max depth');
    this.#bytes = bytes;
    this.#depth = depth;
  }

  /** A reader of the message that is the next value. */
  message(): ProtobufReader {
    return new ProtobufReader(this.bytes(), this.#depth + 1);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Number and wire type of the next field. */
  tag(): { readonly number: number; readonly type: number } {
    const tag = this.#uint();
    return { number: Math.floor(tag / 8), type: tag % 8 };
  }

  /** Unsigned, 64 bits. */
  varint(): bigint {
    let low = 0;
    let shift = 0;
    // Nearly all are short: stay with plain numbers as long as they hold.
    for (; shift < 28; shift += 7) {
      const byte = this.#byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (; shift < 70; shift += 7) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError('a number is longer than 64 bits');
  }

  /** Reads a number that nearly always has one byte: a tag or a length. */
  #uint(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined || byte >= 0x80) return Number(this.varint());
    this.#at++;
    return byte;
  }

  /** Signed, 64 bits; a bigint only where a number cannot hold it. */
  integer(): number | bigint {
    let number = 0;
    let factor = 1;
    // Seven bytes always fit into a number; only larger and negative numbers have more bytes.
    for (let at = this.#at; at < this.#at + 7; at++) {
      const byte = this.#bytes[at] ?? 0x80;
      number += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.#at = at + 1;
        return number;
      }
      factor *= 0x80;
    }
    const value = BigInt.asIntN(64, this.varint());
    const exact = Number(value);
    return Number.isSafeInteger(exact) ? exact : value;
  }

  bytes(): Uint8Array {
    const length = this.#uint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new ProtobufError('unexpected end of message');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  text(): string {
    const bytes = this.bytes();
    return (bytes.length <= shortText ? this.#ascii(bytes) : undefined) ?? decoder.decode(bytes);
  }

  /** A decoder costs more than most texts are long. */
  #ascii(bytes: Uint8Array): string | undefined {
    let text = '';
    for (const byte of bytes) {
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  double(): number {
    this.#need(8);
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).getFloat64(0, true);
    this.#at += 8;
    return value;
  }

  skip(type: number): void {
    if (type === wireType.varint) while (this.#byte() >= 0x80);
    else if (type === wireType.bytes) this.bytes();
    else if (type === wireType.fixed64 || type === wireType.fixed32) {
      const width = type === wireType.fixed64 ? 8 : 4;
      this.#need(width);
      this.#at += width;
    } else throw new ProtobufError(`wire type ${type} is not supported`);
  }

  #need(count: number): void {
    if (this.#at + count > this.#bytes.length) throw new ProtobufError('unexpected end of message');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new ProtobufError('unexpected end of message');
    return byte;
  }
}

/** Builds one message, with its nested messages in place. */
export class ProtobufWriter {
  #buffer: Uint8Array;
  #length = 0;

  /** `prefix` is written before the message. `expectedSize` is its approximate size in bytes, which saves growing the buffer. */
  constructor(prefix: Uint8Array = new Uint8Array(), expectedSize = 512) {
    this.#buffer = new Uint8Array(Math.max(expectedSize, prefix.length));
    this.#buffer.set(prefix);
    this.#length = prefix.length;
  }

  varint(number: number, value: number | bigint): void {
    this.#reserve(20);
    this.#uint(number * 8 + wireType.varint);
    if (typeof value === 'number' && value >= 0) this.#uint(value);
    else this.#long(BigInt.asUintN(64, BigInt(value)));
  }

  bytes(number: number, value: Uint8Array): void {
    this.#reserve(20 + value.length);
    this.#uint(number * 8 + wireType.bytes);
    this.#uint(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  text(number: number, value: string): void {
    if (value.length < 0x80 && this.#shortText(number, value)) return;
    this.bytes(number, encoder.encode(value));
  }

  double(number: number, value: number): void {
    this.#reserve(18);
    this.#uint(number * 8 + wireType.fixed64);
    new DataView(this.#buffer.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** Begins a nested message. Everything written until `end` is called with the result is its content. */
  begin(number: number): number {
    this.#reserve(11);
    this.#uint(number * 8 + wireType.bytes);
    // Most messages are short: one byte is reserved for the length, and the content is moved if that is not enough.
    return this.#length++;
  }

  end(mark: number): void {
    const start = mark + 1;
    const size = this.#length - start;
    if (size < 0x80) {
      this.#buffer[mark] = size;
      return;
    }
    this.#reserve(10);
    const more = Math.floor((31 - Math.clz32(size)) / 7);
    this.#buffer.copyWithin(start + more, start, this.#length);
    this.#length = mark;
    this.#uint(size);
    this.#length += size;
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** Ends the message like finish, but keeps the unused part of its buffer: for bytes that do not stay in memory. */
  finishShortLived(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Writes a text of ASCII characters; false where it has others, which leaves nothing behind. */
  #shortText(number: number, value: string): boolean {
    this.#reserve(10 + value.length);
    const before = this.#length;
    this.#uint(number * 8 + wireType.bytes);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = value.length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code >= 0x80) {
        this.#length = before;
        return false;
      }
      buffer[at++] = code;
    }
    this.#length = at;
    return true;
  }

  /** Unsigned, below 2^53; room has been made. */
  #uint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  #long(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/** The bytes before a message, text or bytes of that size; the number is below 16. */
export function tagWithLength(number: number, size: number): Uint8Array {
  const bytes = [number * 8 + wireType.bytes];
  let rest = size;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
