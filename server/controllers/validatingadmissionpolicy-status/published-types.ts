import type { CELType } from '../../../api/cel/types/types.ts';
import { type SchemaLike, typeOfSchema } from '../../../api/cel/types/schema-types.ts';

/** A schema as OpenAPI v3 documents hold it. */
interface PublishedSchema extends Omit<SchemaLike, 'properties' | 'items' | 'additionalProperties'> {
  readonly $ref?: string;
  readonly allOf?: readonly PublishedSchema[];
  readonly oneOf?: readonly PublishedSchema[];
  readonly properties?: Readonly<Record<string, PublishedSchema>>;
  readonly items?: PublishedSchema;
  readonly additionalProperties?: PublishedSchema | boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

/** The part of an OpenAPI v3 document that is read. */
export interface PublishedDocument {
  readonly components?: { readonly schemas?: Readonly<Record<string, PublishedSchema>> };
}

/** The type of a kind's objects by the document of its group and version; undefined where it is not in there. */
export function publishedType(document: PublishedDocument, group: string, version: string, kind: string): CELType | undefined {
  const schemas = document.components?.schemas ?? {};
  const root = Object.values(schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some((one) => one.group === group && one.version === version && one.kind === kind),
  );
  if (root === undefined) return undefined;
  const schema = resolve(root, schemas, []);
  // Metadata that is published has more fields than the two that are always there.
  return typeOfSchema(schema, kind, schema.properties?.['metadata']?.properties?.['name'] === undefined);
}

const prefix = '#/components/schemas/';

/** The schema with its references replaced by what they refer to. A recursive reference ends as an object without fields. */
function resolve(schema: PublishedSchema, schemas: Readonly<Record<string, PublishedSchema>>, within: readonly string[]): SchemaLike {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference !== undefined) {
    const name = reference.slice(prefix.length);
    const target = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    return target === undefined || within.includes(name) ? { type: 'object' } : resolve(target, schemas, [...within, name]);
  }
  // Quantities and other values that may be text or number.
  if (schema.oneOf !== undefined || schema.format === 'int-or-string') return { 'x-kubernetes-int-or-string': true };
  const { properties, items, additionalProperties, $ref: _ref, allOf: _all, oneOf: _one, ...rest } = schema;
  const inner = (one: PublishedSchema): SchemaLike => resolve(one, schemas, within);
  return {
    ...rest,
    ...(properties
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, inner(property)])) }
      : {}),
    ...(items ? { items: inner(items) } : {}),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: inner(additionalProperties) } : {}),
  };
}
