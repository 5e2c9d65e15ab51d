import { remembering } from '../remembering.ts';

/**
 * Exact quantities: an integer times a power of ten, and the family of suffixes it was written in. Behaves as
 * k8s.io/apimachinery's resource.Quantity, including which spellings it keeps as they were written.
 */
export interface Quantity {
  readonly unscaled: bigint;
  /** Power of ten of `unscaled`; never below -9. */
  readonly scale: number;
  readonly format: QuantityFormat;
  /** The spelling to keep, where it counts as canonical already. */
  readonly text?: string;
}

/** 12e6, 12Mi or 12M. */
export type QuantityFormat = 'DecimalExponent' | 'BinarySI' | 'DecimalSI';

export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrongSuffix = "unable to parse quantity's suffix";
const maxInt64 = 2n ** 63n - 1n;
const nanoScale = -9;

const decimalExponents: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const binaryExponents: ReadonlyMap<string, number> = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);
const decimalSuffixes = new Map([...decimalExponents].map(([suffix, exponent]) => [exponent, suffix]));
const binarySuffixes = ['', ...binaryExponents.keys()];

const parts = /^([+-]?)0*(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;

/** No amount of anything needs more characters; work on digits grows with the square of their number. */
const maxLength = 256;

/** Throws QuantityError. Of all the quantities in a cluster there are few spellings, and each is read many times. */
export const parseQuantity: (text: string) => Quantity = remembering(readQuantity, { entries: 1000, length: 20 });

function readQuantity(text: string): Quantity {
  const match = text === '' || text.length > maxLength ? null : parts.exec(text);
  if (match === null) throw new QuantityError(wrongFormat);
  const [, sign = '', integer = '', fraction = '', suffix = ''] = match;
  const { base, exponent, format } = interpretSuffix(suffix);
  const digits = (integer === '' ? '0' : integer) + fraction;
  const magnitude = BigInt(digits);
  const signed = (value: bigint) => (sign === '-' ? -value : value);
  if (base === 2) return parseBinary(text, magnitude, fraction.length, exponent, signed);
  const scale = exponent - fraction.length;
  if (digits.length <= 18 && scale >= nanoScale) {
    const keep = scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0');
    return { unscaled: signed(magnitude), scale, format, ...(keep ? { text } : {}) };
  }
  return { unscaled: signed(roundUpTo(nanoScale, magnitude, scale)), scale: Math.max(scale, nanoScale), format };
}

function parseBinary(
  text: string,
  magnitude: bigint,
  fractionDigits: number,
  exponent: number,
  signed: (value: bigint) => bigint,
): Quantity {
  const shifted = magnitude << BigInt(exponent);
  if (fractionDigits === 0) {
    const isSmall = 15 - String(magnitude).length - Math.trunc((exponent * 3) / 10) - 1 >= 0;
    const unscaled = shifted > maxInt64 ? maxInt64 : shifted;
    const keep = isSmall && (magnitude & 7n) !== 0n;
    return { unscaled: signed(unscaled), scale: 0, format: 'BinarySI', ...(keep ? { text } : {}) };
  }
  const scale = Math.max(-fractionDigits, nanoScale);
  const unscaled = roundUpTo(nanoScale, shifted, -fractionDigits);
  const limit = maxInt64 * 10n ** BigInt(-scale);
  const capped = unscaled > limit ? limit : unscaled;
  const isBelowOne = capped < 10n ** BigInt(-scale) && capped > 0n;
  return { unscaled: signed(capped), scale, format: isBelowOne ? 'DecimalSI' : 'BinarySI' };
}

/** The magnitude at the scale `target`, rounded up if its own scale is finer. */
function roundUpTo(target: number, magnitude: bigint, scale: number): bigint {
  if (scale >= target || magnitude === 0n) return magnitude;
  const drop = target - scale;
  // All digits were dropped: the result is one unit.
  if (drop > String(magnitude).length) return 1n;
  const divisor = 10n ** BigInt(drop);
  return (magnitude + divisor - 1n) / divisor;
}

function interpretSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = decimalExponents.get(suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' };
  const binary = binaryExponents.get(suffix);
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' };
  const exponent = /^[eE]([-+]?\d{1,9})$/.exec(suffix)?.[1];
  if (exponent === undefined) throw new QuantityError(wrongSuffix);
  return { base: 10, exponent: Number(exponent), format: 'DecimalExponent' };
}

/** The canonical spelling: no fraction, the largest suffix of its family that leaves an integer. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  let { unscaled, scale } = quantity;
  if (unscaled === 0n) return '0';
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    scale++;
  }
  if (quantity.format === 'BinarySI' && scale >= 0) {
    const value = unscaled * 10n ** BigInt(Math.min(scale, 30));
    if (value <= -1024n || value >= 1024n) return formatBinary(value);
  }
  // The exponent becomes a multiple of three; beyond E there is no suffix.
  const limit = quantity.format === 'DecimalExponent' ? scale : Math.min(scale, 18);
  const exponent = Math.floor(limit / 3) * 3;
  unscaled *= 10n ** BigInt(scale - exponent);
  if (quantity.format === 'DecimalExponent') return exponent === 0 ? String(unscaled) : `${unscaled}e${exponent}`;
  return `${unscaled}${decimalSuffixes.get(exponent) ?? ''}`;
}

function formatBinary(value: bigint): string {
  let power = 0;
  while (value % 1024n === 0n && power < binarySuffixes.length - 1) {
    value /= 1024n;
    power++;
  }
  return `${value}${binarySuffixes[power] ?? ''}`;
}

/** Plain integers and their usual suffixes, which stay as they are unless they end in 000 or are divisible by 8. */
const alreadyCanonical = /^[1-9]\d{0,5}[mkMGT]?$/;

/** The spelling that is stored. Numbers are taken as their text. Throws QuantityError. */
export function canonicalizeQuantity(value: string | number): string {
  const text = typeof value === 'number' ? String(value) : value.trim();
  if (alreadyCanonical.test(text) && !/000[mkMGT]?$/.test(text)) return text;
  return formatQuantity(parseQuantity(text));
}
