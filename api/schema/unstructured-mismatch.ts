import { JSONFloat } from '../base/json-float.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** The Go kind of a decoded JSON value, as reflection names it. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (value instanceof JSONFloat) return 'float64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'bigint') return 'int64';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'map';
}

const scalarKinds: Readonly<Record<string, (format: string | undefined) => string>> = {
  string: () => 'string',
  boolean: () => 'bool',
  integer: (format) => format ?? 'int64',
  number: (format) => (format === 'float' ? 'float32' : 'float64'),
};

/**
 * The error message for a value of the wrong type in a patched object, as apimachinery's runtime.FromUnstructured words it. It reads the
 * result of a strategic merge patch, and differs from the JSON decoder: other words, and no field path.
 */
export function describeUnstructuredMismatch(value: unknown, schema: StructuralSchema): string {
  const kind = kindOf(value);
  if (schema.type === 'array' || schema.format === 'byte') return `cannot restore slice from ${kind}`;
  if (schema.type === 'object' || schema.type === 'any')
    return schema.properties ? `cannot restore struct from: ${kind}` : `cannot restore map from ${kind}`;
  const wanted = scalarKinds[schema.type]?.(schema.format) ?? schema.type;
  const isNumber = kind === 'int64' || kind === 'float64';
  // Go can convert numbers to numbers, and integers to strings (as code points), which is then refused.
  const isConvertible =
    isNumber && (schema.type === 'integer' || schema.type === 'number' || (schema.type === 'string' && kind === 'int64'));
  return isConvertible ? `cannot convert ${kind} to ${schema.goType ?? wanted}` : `unrecognized type: ${wanted}`;
}

/** An integer as Go's reflection converts it: bits that do not fit are lost. undefined for a number with a fraction. */
export function convertInteger(value: unknown, format: string | undefined): number | bigint | undefined {
  const plain = value instanceof JSONFloat ? value.value : value;
  if (typeof plain !== 'bigint' && !(typeof plain === 'number' && Number.isInteger(plain))) return undefined;
  const bits = BigInt.asIntN(format === 'int32' ? 32 : 64, BigInt(plain));
  return Number.isSafeInteger(Number(bits)) ? Number(bits) : bits;
}
