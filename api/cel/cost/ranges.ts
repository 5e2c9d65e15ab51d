/** The least and the most something can be; `mostCost` where 64 bits do not hold it or nothing bounds it. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export const mostCost = 2 ** 64;
const capped = (value: number): number => Math.min(value, mostCost);
/** The product of two sizes; 0 times the unbounded is 0. */
const product = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : capped(x * y));

export const exactly = (value: number): Range => ({ min: value, max: value });
export const zeroRange: Range = exactly(0);
export const oneRange: Range = exactly(1);
export const unbounded: Range = { min: 0, max: mostCost };

export const sumRange = (a: Range, b: Range): Range => ({ min: capped(a.min + b.min), max: capped(a.max + b.max) });
export const productRange = (a: Range, b: Range): Range => ({ min: product(a.min, b.min), max: product(a.max, b.max) });
/** Rounded up. */
export const scaleRange = (range: Range, factor: number): Range => ({
  min: Math.ceil(product(range.min, factor)),
  max: Math.ceil(product(range.max, factor)),
});
/** The least range that covers both. */
export const unionRange = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) });
