import { parseQuantity, type Quantity, type QuantityFormat } from './quantity.ts';

const maxInt64 = 2n ** 63n - 1n;
/** Beyond this many digits a number is too large for anything; only its magnitude is looked at. */
const maxDigits = 400;

/** A quantity of that integer value. */
export function quantityOf(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { unscaled: BigInt(value), scale: 0, format };
}

/** A quantity of that many thousandths. */
export function milliQuantityOf(milliValue: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { unscaled: BigInt(milliValue), scale: -3, format };
}

function isHuge(quantity: Quantity): boolean {
  return quantity.scale > maxDigits;
}

function signOf(value: bigint): number {
  return value > 0n ? 1 : value < 0n ? -1 : 0;
}

/** Both at the finer of the two scales. */
function align(a: Quantity, b: Quantity): { x: bigint; y: bigint; scale: number } {
  const scale = Math.min(a.scale, b.scale);
  return { x: a.unscaled * 10n ** BigInt(a.scale - scale), y: b.unscaled * 10n ** BigInt(b.scale - scale), scale };
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const difference = signOf(a.unscaled) - signOf(b.unscaled);
  if (difference !== 0 || a.unscaled === 0n) return difference;
  if (isHuge(a) || isHuge(b)) {
    const digits = (quantity: Quantity) => String(quantity.unscaled).replace('-', '').length + quantity.scale;
    if (digits(a) !== digits(b)) return (digits(a) - digits(b)) * signOf(a.unscaled);
    if (Math.abs(a.scale - b.scale) > maxDigits * 100) return a.scale - b.scale;
  }
  const { x, y } = align(a, b);
  return signOf(x - y);
}

/** The sum, in the format of `a` unless that is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  if (isHuge(a) || isHuge(b)) return compareQuantities(a, b) > 0 ? a : b;
  const { x, y, scale } = align(a, b);
  return { unscaled: x + y, scale, format: a.unscaled === 0n ? b.format : a.format };
}

/** `a - b`, in the format of `a` unless that is zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, negateQuantity(b));
}

export function negateQuantity(quantity: Quantity): Quantity {
  return { unscaled: -quantity.unscaled, scale: quantity.scale, format: quantity.format };
}

export function maxQuantity(a: Quantity, b: Quantity): Quantity {
  return compareQuantities(a, b) >= 0 ? a : b;
}

function valueAt(quantity: Quantity, scale: number): number {
  const { unscaled } = quantity;
  const shift = quantity.scale - scale;
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  let value: bigint;
  if (shift >= 0) {
    value = magnitude === 0n ? 0n : shift > 19 ? maxInt64 : magnitude * 10n ** BigInt(shift);
  } else {
    const divisor = 10n ** BigInt(-shift);
    value = (magnitude + divisor - 1n) / divisor;
  }
  const limited = Number(value > maxInt64 ? maxInt64 : value);
  return unscaled < 0n ? -limited : limited;
}

/** The integer value, rounded away from zero; at most 2^63-1. Exact up to 2^53. */
export function quantityValue(quantity: Quantity | string): number {
  return valueAt(typeof quantity === 'string' ? parseQuantity(quantity) : quantity, 0);
}

/** The value in thousandths, rounded away from zero; at most 2^63-1. Exact up to 2^53. */
export function quantityMilliValue(quantity: Quantity | string): number {
  return valueAt(typeof quantity === 'string' ? parseQuantity(quantity) : quantity, -3);
}

/** The quantity with nothing finer than `scale` (0: integers, -3: thousandths), rounded away from zero. */
export function roundUpQuantity(quantity: Quantity, scale: number): Quantity {
  if (quantity.scale >= scale) return quantity;
  const divisor = 10n ** BigInt(scale - quantity.scale);
  const magnitude = quantity.unscaled < 0n ? -quantity.unscaled : quantity.unscaled;
  const rounded = (magnitude + divisor - 1n) / divisor;
  return { unscaled: quantity.unscaled < 0n ? -rounded : rounded, scale, format: quantity.format };
}
