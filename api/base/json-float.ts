/**
 * An integer that was written as a fraction or with an exponent: 1.0, 1e3. Go distinguishes these and refuses them for integer fields. Only
 * parseJSON with keepFloats makes this type, and decoding by a schema removes it.
 */
export class JSONFloat {
  /** The number as the document spells it. */
  readonly literal: string;
  readonly value: number;

  constructor(literal: string) {
    this.literal = literal;
    this.value = Number(literal);
  }
}
