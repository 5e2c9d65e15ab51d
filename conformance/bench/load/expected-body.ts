/** The bytes that every informer must have read before it has everything. */
export interface ExpectedBody {
  /** Text before the items, which may differ: they are equal from after its end on. Empty: from the beginning. */
  readonly opening: string;
  readonly items: Buffer;
  /** Text that must come after the items. */
  readonly closing: string;
}

/** The longest opening that is searched. */
const maxOpeningBytes = 4096;

/** Compares a body that arrives in pieces with the expected one, without keeping it. */
export class BodyComparison {
  readonly #expected: ExpectedBody;
  #text = '';
  /** The position in the items; undefined: they have not begun. */
  #at: number | undefined;
  #isComplete = false;

  constructor(expected: ExpectedBody) {
    this.#expected = expected;
    if (expected.opening === '') this.#at = 0;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Returns whether all is as expected so far. */
  read(data: Buffer, start: number, end: number): boolean {
    const from = this.#at === undefined ? this.#readOpening(data, start, end) : start;
    if (from === undefined) return false;
    return this.#readItems(data, from, end);
  }

  #readOpening(data: Buffer, start: number, end: number): number | undefined {
    const before = this.#text.length;
    this.#text += data.toString('latin1', start, Math.min(end, start + maxOpeningBytes));
    const found = this.#text.indexOf(this.#expected.opening);
    if (found < 0) return this.#text.length < maxOpeningBytes ? end : undefined;
    const from = start + found + this.#expected.opening.length - before;
    this.#text = '';
    this.#at = 0;
    return from;
  }

  #readItems(data: Buffer, start: number, end: number): boolean {
    if (this.#at === undefined) return true;
    const { items, closing } = this.#expected;
    const count = Math.min(end - start, items.length - this.#at);
    if (count > 0 && items.compare(data, start, start + count, this.#at, this.#at + count) !== 0) return false;
    this.#at += count;
    if (this.#at < items.length || start + count === end) return true;
    this.#text += data.toString('latin1', start + count, end);
    this.#isComplete ||= this.#text.includes(closing);
    return this.#isComplete || this.#text.length < maxOpeningBytes;
  }
}
