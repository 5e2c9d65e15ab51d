const maxTicks = 5;

/** Round numbers from 0 to at least `max`: 1, 2 or 5 times a power of ten apart. */
export function ticksUpTo(max: number): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / maxTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/** Powers of two that enclose all values, and 1. */
export function powersOfTwoAround(values: readonly number[]): number[] {
  const exponents = values.filter((value) => value > 0).map(Math.log2);
  const low = Math.floor(Math.min(-1, ...exponents) + 1e-9);
  const high = Math.ceil(Math.max(1, ...exponents) - 1e-9);
  return Array.from({ length: high - low + 1 }, (_, index) => 2 ** (low + index));
}
