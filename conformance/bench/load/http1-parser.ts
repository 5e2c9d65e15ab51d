import type { ResponseHandler } from './connection.ts';

type Wants = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers';

const lineFeed = 10;

/** Splits a stream of HTTP/1.1 answers into status and body: with a length, in chunks, or empty. */
export class HTTP1Parser {
  #wants: Wants = 'head';
  /** The unread text of a head, a chunk's size or a trailer. */
  #text = '';
  #remaining = 0;
  readonly #handler: Omit<ResponseHandler, 'onError'>;

  constructor(handler: Omit<ResponseHandler, 'onError'>) {
    this.#handler = handler;
  }

  read(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length)
      at = this.#wants === 'body' || this.#wants === 'chunk' ? this.#readData(bytes, at, length) : this.#readLine(bytes, at, length);
  }

  #readData(bytes: Buffer, start: number, length: number): number {
    const end = Math.min(length, start + this.#remaining);
    this.#handler.onData(bytes, start, end);
    this.#remaining -= end - start;
    if (this.#remaining === 0) {
      if (this.#wants === 'body') this.#finish();
      else this.#wants = 'chunk-end';
    }
    return end;
  }

  #readLine(bytes: Buffer, start: number, length: number): number {
    const found = bytes.indexOf(lineFeed, start);
    const isWhole = found !== -1 && found < length;
    const end = isWhole ? found + 1 : length;
    this.#text += bytes.toString('latin1', start, end);
    if (!isWhole) return end;
    if (this.#wants === 'head') {
      if (this.#text.endsWith('\r\n\r\n')) this.#readHead(this.#takeText());
    } else this.#readFraming(this.#takeText().trim());
    return end;
  }

  #takeText(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #readFraming(line: string): void {
    if (this.#wants === 'chunk-end') this.#wants = 'chunk-size';
    else if (this.#wants === 'chunk-size') {
      this.#remaining = Number.parseInt(line, 16);
      this.#wants = this.#remaining === 0 ? 'trailers' : 'chunk';
    } else if (line === '') this.#finish();
  }

  #readHead(head: string): void {
    const status = Number(head.slice(9, 12));
    this.#handler.onStatus(status);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      this.#remaining = Number(length);
      this.#wants = 'body';
      if (this.#remaining === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#wants = 'chunk-size';
    else this.#finish();
  }

  #finish(): void {
    this.#wants = 'head';
    this.#handler.onEnd();
  }
}
