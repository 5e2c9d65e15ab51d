/** Bytes that are no protobuf message, or of another one than expected. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProtobufError';
  }
}

/** Ways in which a value lies on the wire. Groups (3, 4) are not used. */
export const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const maxDepth = 500;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Reads the fields of one message, one after the other. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #depth: number;
  #at = 0;

  /** `depth` is how many messages lie around this one. Throws where they are too many for recursive code. */
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
    const tag = Number(this.varint());
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

  bytes(): Uint8Array {
    const length = Number(this.varint());
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new ProtobufError('unexpected end of message');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  text(): string {
    return decoder.decode(this.bytes());
  }

  double(): number {
    this.#need(8);
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).getFloat64(0, true);
    this.#at += 8;
    return value;
  }

  skip(type: number): void {
    if (type === wireType.varint) this.varint();
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

/** Builds one message. */
export class ProtobufWriter {
  #buffer = new Uint8Array(256);
  #length = 0;

  varint(number: number, value: number | bigint): void {
    this.#varint(number * 8 + wireType.varint);
    this.#varint(value);
  }

  bytes(number: number, value: Uint8Array): void {
    this.#varint(number * 8 + wireType.bytes);
    this.#varint(value.length);
    this.#append(value);
  }

  text(number: number, value: string): void {
    this.bytes(number, encoder.encode(value));
  }

  double(number: number, value: number): void {
    this.#varint(number * 8 + wireType.fixed64);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#append(bytes);
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  #varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x80) {
      this.#append(Uint8Array.of(value));
      return;
    }
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }
}
