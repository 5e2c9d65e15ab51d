import { uint32 } from '../../../api/streaming/http2/frames.ts';

/** The head of a message: a byte that tells whether it is compressed, and the length. */
export const messageHeadSize = 5;

/** Writes the head of a message of `length` bytes; returns where the message begins. */
export function writeMessageHead(target: Buffer, at: number, length: number): number {
  target[at] = 0;
  return target.writeUInt32BE(length, at + 1);
}

/** Assembles the messages of one direction of a call from the pieces in which they arrive. */
export class MessageReader {
  #pieces: Uint8Array[] = [];
  #size = 0;
  /** The length of the message under way with its head; 0 while that is not known. */
  #wanted = 0;

  /** Calls `take` for every message that this piece completes. Throws for a compressed message. */
  push(piece: Uint8Array, take: (message: Uint8Array) => void): void {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size < Math.max(this.#wanted, messageHeadSize)) return;
    let bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#size);
    for (;;) {
      this.#wanted = bytes.length < messageHeadSize ? 0 : messageHeadSize + lengthOf(bytes);
      if (this.#wanted === 0 || bytes.length < this.#wanted) break;
      const message = bytes.subarray(messageHeadSize, this.#wanted);
      bytes = bytes.subarray(this.#wanted);
      take(message);
    }
    this.#pieces = bytes.length === 0 ? [] : [bytes];
    this.#size = bytes.length;
  }
}

function lengthOf(bytes: Uint8Array): number {
  if (bytes[0] !== 0) throw new Error('a message is compressed');
  return uint32(bytes, 1);
}
