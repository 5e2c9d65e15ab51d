import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';

type Props = DeepReadonly<JSONSchemaProps>;

/** Checks of alternatives, and characters of a pattern with its repetitions written out, that take as long as reading a byte. */
const alternativesPerByte = 8;
const patternLengthPerByte = 32;
/** Rules in CEL may take as long for the smallest object as their costs allow. */
const rulesFactor = 64;
/** The number of characters of rules for which an object's size counts once more. */
const ruleLengthPerByte = 16;
/** The shortest value for which a list or map has a default filled in, with its comma: `{},`. */
const shortestItemBytes = 3;

/**
 * The factor by which defaulting and validating an object of a custom kind may take longer than for a kind whose fields have only types. It
 * is the greatest factor of any part of the schema, since each value lies in one part.
 */
export function workFactorOf(schema: Props | undefined): number {
  return schema === undefined ? 0 : heaviestOf(schema) + ruleLengthOf(schema) / ruleLengthPerByte;
}

/** The length of all rules together: they are compiled with the first object. */
function ruleLengthOf(schema: Props): number {
  const own = (schema['x-kubernetes-validations'] ?? []).reduce(
    (sum, { rule, messageExpression = '' }) => sum + rule.length + messageExpression.length,
    0,
  );
  return innerOf(schema).reduce((sum, each) => sum + ruleLengthOf(each), own);
}

function heaviestOf(schema: Props): number {
  const { pattern, default: value, 'x-kubernetes-validations': rules = [] } = schema;
  const alternatives = alternativesOf(schema).reduce((sum, each) => sum + countSchemas(each), 0);
  const own =
    alternatives / alternativesPerByte +
    (pattern === undefined ? 0 : writtenOutLength(pattern) / patternLengthPerByte) +
    (rules.length > 0 ? rulesFactor : 0) +
    (value === undefined ? 0 : sizeOf(value) / shortestItemBytes);
  const below = [...innerOf(schema), ...alternativesOf(schema)].reduce((most, each) => Math.max(most, heaviestOf(each)), 0);
  // Defaults of all properties of an item are filled in together.
  const filledIn = Object.values(schema.properties ?? {}).reduce((sum, each) => sum + defaultSizeOf(each), 0);
  return Math.max(own, below, filledIn / shortestItemBytes);
}

function defaultSizeOf(schema: Props): number {
  if (schema.default === undefined) return 0;
  const inner = Object.values(schema.properties ?? {}).reduce((sum, each) => sum + defaultSizeOf(each), 0);
  return sizeOf(schema.default) + inner;
}

function alternativesOf({ anyOf = [], oneOf = [], allOf = [], not }: Props): readonly Props[] {
  return [...anyOf, ...oneOf, ...allOf, ...(not ? [not] : [])];
}

function innerOf({ properties = {}, additionalProperties, items }: Props): readonly Props[] {
  const isSchema = (one: unknown): one is Props => typeof one === 'object' && one !== null && !Array.isArray(one);
  return [...Object.values(properties), ...[additionalProperties, items].filter(isSchema)];
}

function countSchemas(schema: Props): number {
  return [...alternativesOf(schema), ...innerOf(schema)].reduce((sum, each) => sum + countSchemas(each), 1);
}

/** The length of a pattern with its counted repetitions written out, nested ones multiplied. */
function writtenOutLength(pattern: string): number {
  let length = pattern.length;
  for (const [, least = '1', most = ''] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) length *= Math.max(1, Number(most || least));
  return Math.min(length, Number.MAX_SAFE_INTEGER);
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one))?.length ?? 0;
}
