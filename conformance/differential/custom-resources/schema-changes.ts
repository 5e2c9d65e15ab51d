import type { JSONSchemaProps } from '../../../api/types/apiextensions-v1.ts';
import { type Next, pick } from './generate-schemas.ts';

type SchemaChange = (schema: JSONSchemaProps, next: Next) => void;

/** Changes that make a schema wrong, or nearly. */
export const schemaChanges: readonly SchemaChange[] = [
  (schema) => delete schema.type,
  (schema, next) => (schema.type = pick(next, ['null', 'text', 'object', 'string', 'array'])),
  (schema) => (schema.nullable = true),
  (schema, next) => (schema.default = pick(next, [1, 'x', {}, [], { z: 1 }, true, { a: 1 }])),
  (schema) => (schema.uniqueItems = true),
  (schema) => (schema.pattern = '('),
  (schema) => (schema.$ref = '#/x'),
  (schema) => (schema.id = 'x'),
  (schema) => (schema.items = { type: 'string', nullable: true }),
  (schema) => delete schema.items,
  (schema) => (schema.additionalProperties = { type: 'string' }),
  (schema) => (schema.patternProperties = { x: { type: 'string' } }),
  (schema) => (schema.definitions = { x: { type: 'string' } }),
  (schema, next) => (schema['x-kubernetes-list-type'] = pick(next, ['set', 'map', 'atomic', 'bag'])),
  (schema, next) => (schema['x-kubernetes-list-map-keys'] = pick(next, [['a'], ['a', 'a'], []])),
  (schema, next) => (schema['x-kubernetes-map-type'] = pick(next, ['atomic', 'granular', 'bag'])),
  (schema) => (schema['x-kubernetes-embedded-resource'] = true),
  (schema) => (schema['x-kubernetes-int-or-string'] = true),
  (schema) => (schema['x-kubernetes-preserve-unknown-fields'] = true),
  (schema) => (schema['x-kubernetes-preserve-unknown-fields'] = false),
  (schema) => (schema.anyOf = [{ type: 'integer' }, { type: 'string' }]),
  (schema, next) =>
    (schema.allOf = [
      pick(next, [
        { description: 'x' },
        { nullable: true },
        { default: 1 },
        { properties: { q: { minimum: 1 } } },
        { items: { maxLength: 1 } },
      ]),
    ]),
  (schema) => (schema.not = { additionalProperties: { maxLength: 1 } }),
  (schema) => (schema.oneOf = [{ 'x-kubernetes-list-type': 'set' }]),
  (schema) => (schema.properties = { ...schema.properties, metadata: { type: 'object', properties: { labels: { type: 'object' } } } }),
  (schema, next) =>
    (schema['x-kubernetes-validations'] = [
      { rule: pick(next, ['', 'true', 'self', '1 +', 'self.x.y', 'oldSelf == self']), message: pick(next, ['', '\n', 'a\nb', 'm']) },
    ]),
  (schema) =>
    (schema['x-kubernetes-validations'] = [
      { rule: 'true', fieldPath: '.a.b[', optionalOldSelf: true, reason: 'No' as 'FieldValueInvalid' },
    ]),
];

/** A schema and all those within it. */
export function partsOf(schema: JSONSchemaProps): JSONSchemaProps[] {
  const inner = [
    ...Object.values(schema.properties ?? {}),
    schema.items,
    schema.additionalProperties,
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
  ];
  return [schema, ...inner.flatMap((part) => (typeof part === 'object' && !Array.isArray(part) ? partsOf(part) : []))];
}
