/**
 * A whole number that was written as a fraction or with an exponent: 1.0, 1e3. Go tells these from integers and refuses
 * them where it wants one. Only parseJSON with keepFloats makes them, and decoding by a schema takes them away again.
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
