import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { WorkFactor } from '../../resource/resource-definition.ts';
import type { JSONSchemaProps, ValidationRule } from '../../types/apiextensions-v1.ts';

type Props = DeepReadonly<JSONSchemaProps>;

/** Checks of alternatives, and characters of a pattern with its repetitions written out, that take as long as reading a byte. */
const alternativesPerByte = 8;
const patternLengthPerByte = 32;
/** A rule that goes through lists may take as long for a small object as its cost allows: two loops within each other take the square. */
const loopFactor = 64;
/** A rule without a loop: for each value that it is evaluated for, of which an item of a list has a few bytes. */
const ruleFactor = 2;
/** The time that compiling a character of a rule takes, with the first object, in the time of reading a byte. */
const bytesPerRuleCharacter = 2;
/** The shortest value for which a list or map has a default filled in, with its comma: `{},`. */
const shortestItemBytes = 3;

const none: WorkFactor = { once: 0, perByte: 0 };

/** How much longer objects of a custom kind take, by its schema. */
export function workFactorOf(schema: Props | undefined): WorkFactor {
  return schema === undefined ? none : factorOf(schema, false);
}

/** `repeats`: the schema is that of the items of a list or map, of which a short object may have many. */
function factorOf(schema: Props, repeats: boolean): WorkFactor {
  const { pattern, default: value, properties = {}, 'x-kubernetes-validations': rules = [] } = schema;
  const alternatives = alternativesOf(schema).reduce((sum, each) => sum + countSchemas(each), 0);
  const defaultSize = value === undefined ? 0 : sizeOf(value);
  // Defaults of all properties of an item are filled in together.
  const filledIn = Math.max(
    defaultSize,
    Object.values(properties).reduce((sum, each) => sum + defaultSizeOf(each), 0),
  );
  const own =
    alternatives / alternativesPerByte +
    (pattern === undefined ? 0 : writtenOutLength(pattern) / patternLengthPerByte) +
    rules.reduce((sum, rule) => sum + factorOfRule(rule, repeats), 0) +
    (repeats ? filledIn / shortestItemBytes : 0);
  const inner = [
    ...Object.values(properties).map((each) => factorOf(each, repeats)),
    ...itemsOf(schema).map((each) => factorOf(each, true)),
    ...alternativesOf(schema).map((each) => factorOf(each, repeats)),
  ];
  const ruleLength = rules.reduce((sum, { rule, messageExpression = '' }) => sum + rule.length + messageExpression.length, 0);
  return {
    once: inner.reduce((sum, { once }) => sum + once, ruleLength * bytesPerRuleCharacter + (repeats ? 0 : defaultSize)),
    perByte: inner.reduce((most, { perByte }) => Math.max(most, perByte), own),
  };
}

/** Names of macros and functions that go through a list; where they stand in a text does not matter, so that none is overlooked. */
const loops =
  /\b(?:all|exists|exists_one|existsOne|map|filter|sortBy|transform\w+|sum|distinct|isSorted|min|max|indexOf|lastIndexOf|range|in)\b/;
/** Functions with patterns, which may come from the object. */
const patternFunctions = /\b(?:matches|find|findAll|replace|split)\b/;

function factorOfRule({ rule, messageExpression = '' }: DeepReadonly<ValidationRule>, repeats: boolean): number {
  const text = `${rule} ${messageExpression}`;
  if (patternFunctions.test(text)) return loopFactor + writtenOutLength(text) / patternLengthPerByte;
  return loops.test(text) ? loopFactor : 1 / 4 + (repeats ? ruleFactor : 0);
}

function defaultSizeOf(schema: Props): number {
  if (schema.default === undefined) return 0;
  const inner = Object.values(schema.properties ?? {}).reduce((sum, each) => sum + defaultSizeOf(each), 0);
  return sizeOf(schema.default) + inner;
}

function alternativesOf({ anyOf = [], oneOf = [], allOf = [], not }: Props): readonly Props[] {
  return [...anyOf, ...oneOf, ...allOf, ...(not ? [not] : [])];
}

function itemsOf({ additionalProperties, items }: Props): readonly Props[] {
  const isSchema = (one: unknown): one is Props => typeof one === 'object' && one !== null && !Array.isArray(one);
  return [additionalProperties, items].filter(isSchema);
}

function countSchemas(schema: Props): number {
  return [...alternativesOf(schema), ...Object.values(schema.properties ?? {}), ...itemsOf(schema)].reduce(
    (sum, each) => sum + countSchemas(each),
    1,
  );
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
