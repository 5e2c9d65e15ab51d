import type { JSONSchemaProps, ValidationRule } from '../../../api/types/apiextensions-v1.ts';
import { type Next, pick } from './generate-schemas.ts';

const texts = [
  'self != "abc"',
  'self.matches("^[a-z]*$")',
  'size(self) < 4',
  'self == oldSelf',
  'self.startsWith("a") || self == ""',
  'self.lowerAscii() == self',
];
const numbers = ['self > 1', 'self >= oldSelf', 'self != 3', 'self * 2 < 100', 'self == self'];
const lists = [
  'size(self) < 2',
  'self.all(x, x == x)',
  'self.exists(x, true)',
  'self == oldSelf',
  'self[0] == self[0]',
  'size(self) >= size(oldSelf)',
];
const maps = ['size(self) < 2', 'self.all(k, k != "k")', '"k" in self', 'self.exists(k, size(k) > 3)'];

/** Rules about the fields of an object, some of which it may not have. */
function objectRules(schema: JSONSchemaProps, next: Next): ValidationRule {
  const name = pick(next, Object.keys(schema.properties ?? { a: {} }));
  const field = schema.properties?.[name];
  const rule = pick(next, [
    `has(self.${name})`,
    `!has(self.${name}) || self.${name} == self.${name}`,
    `self.${name} == self.${name}`,
    `has(self.${name}) == has(oldSelf.${name})`,
    `self == oldSelf`,
    `self.nope == 1`,
  ]);
  return {
    rule,
    ...(next() < 0.2 ? { fieldPath: `.${name}` } : {}),
    ...(next() < 0.2 && field?.type === 'string' ? { messageExpression: `"value " + self.${name}` } : {}),
  };
}

function ruleFor(schema: JSONSchemaProps, next: Next): ValidationRule | undefined {
  switch (schema.type) {
    case 'string':
      return {
        rule: pick(next, texts),
        ...(next() < 0.3 ? { messageExpression: pick(next, ['"bad: " + self', '""', '"a\\nb"', 'self + 1']) } : {}),
      };
    case 'integer':
    case 'number':
      return { rule: pick(next, numbers), ...(next() < 0.3 ? { messageExpression: '"is " + string(self)' } : {}) };
    case 'array':
      return { rule: pick(next, lists) };
    case 'object':
      if (typeof schema.additionalProperties === 'object') return { rule: pick(next, maps) };
      return schema['x-kubernetes-embedded-resource']
        ? { rule: pick(next, ['self.kind == "Pod"', 'has(self.metadata.name)']) }
        : objectRules(schema, next);
    default:
      return schema['x-kubernetes-int-or-string']
        ? { rule: pick(next, ['type(self) == int', 'self == 5 || self == "5"', 'string(self) != "a"']) }
        : undefined;
  }
}

/** Adds rules to parts of a schema, some of which do not compile. Modifies. */
export function addRules(next: Next, schema: JSONSchemaProps): void {
  const rule = next() < 0.4 ? ruleFor(schema, next) : undefined;
  if (rule) {
    if (next() < 0.3) rule.message = pick(next, ['is wrong', ' must be right ']);
    if (next() < 0.2)
      rule.reason = pick(next, ['FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate', 'FieldValueInvalid'] as const);
    if (rule.rule.includes('oldSelf') && next() < 0.3) {
      rule.optionalOldSelf = true;
      rule.rule = 'oldSelf.orValue(self) == self';
    }
    schema['x-kubernetes-validations'] = [rule];
  }
  for (const property of Object.values(schema.properties ?? {})) addRules(next, property);
  if (typeof schema.items === 'object') addRules(next, schema.items as JSONSchemaProps);
  if (typeof schema.additionalProperties === 'object') addRules(next, schema.additionalProperties);
}

/** Bounds everything that is not, so that rules are not estimated to be too costly. Modifies. */
export function addBounds(schema: JSONSchemaProps): void {
  if (schema.type === 'string' && schema.maxLength === undefined) schema.maxLength = 60;
  if (schema.type === 'array' && schema.maxItems === undefined) schema.maxItems = 6;
  if (typeof schema.additionalProperties === 'object' && schema.maxProperties === undefined) schema.maxProperties = 6;
  for (const property of Object.values(schema.properties ?? {})) addBounds(property);
  if (typeof schema.items === 'object') addBounds(schema.items as JSONSchemaProps);
  if (typeof schema.additionalProperties === 'object') addBounds(schema.additionalProperties);
}
