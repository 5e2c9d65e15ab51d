import { defineScalarTag, NOT_RESOLVED } from 'js-yaml';

const firstCharacters = ['-', '+', '.', ...'0123456789'];
const floatPattern = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const digitsByPrefix: readonly (readonly [prefix: RegExp, digits: RegExp, radix: string])[] = [
  [/^0[xX]/, /^[0-9a-fA-F]+$/, '0x'],
  [/^0[oO]/, /^[0-7]+$/, '0o'],
  [/^0[bB]/, /^[01]+$/, '0b'],
  // The octal of YAML 1.1: 0644 is 420, but 08 is no octal and becomes the float 8.
  [/^0(?=\d)/, /^[0-7]+$/, '0o'],
];
const minInt64 = -(2n ** 63n);
const maxUint64 = 2n ** 64n - 1n;

function parseInteger(text: string): bigint | undefined {
  const isNegative = text.startsWith('-');
  const unsigned = /^[-+]/.test(text) ? text.slice(1) : text;
  for (const [prefix, digits, radix] of digitsByPrefix) {
    if (!prefix.test(unsigned)) continue;
    const rest = unsigned.replace(prefix, '');
    if (!digits.test(rest)) return undefined;
    const value = BigInt(radix + rest);
    return isNegative ? -value : value;
  }
  if (!/^\d+$/.test(unsigned)) return undefined;
  return isNegative ? -BigInt(unsigned) : BigInt(unsigned);
}

/** A plain scalar as go-yaml v2 reads it: integers of several bases, floats, no base 60, no dates. Large integers are bigint. */
function resolveNumber(source: string): number | bigint | typeof NOT_RESOLVED {
  const special = /^([-+]?)\.(?:inf|Inf|INF)$/.exec(source);
  if (special) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^\.(?:nan|NaN|NAN)$/.test(source)) return Number.NaN;
  const plain = source.replaceAll('_', '');
  const integer = plain.startsWith('.') ? undefined : parseInteger(plain);
  if (integer !== undefined && integer >= minInt64 && integer <= maxUint64) {
    const value = Number(integer);
    return Number.isSafeInteger(value) ? value : integer;
  }
  if (!floatPattern.test(plain)) return NOT_RESOLVED;
  const value = Number(plain);
  return Number.isFinite(value) ? value : NOT_RESOLVED;
}

const isNumber = (value: unknown) => typeof value === 'number' || typeof value === 'bigint';

export const integerTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: firstCharacters,
  resolve: resolveNumber,
  identify: isNumber,
  represent: (value: unknown) => String(value),
});

/** Only for values tagged !!float. Untagged floats are parsed by integerTag, since go-yaml decides between the two in one place. */
export const floatTag = defineScalarTag('tag:yaml.org,2002:float', { resolve: resolveNumber, identify: () => false });
