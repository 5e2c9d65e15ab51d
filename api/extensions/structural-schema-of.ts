import type { DeepReadonly } from '../base/deep-readonly.ts';
import { cloneJSON } from '../base/json-object.ts';
import { decode } from '../schema/decode.ts';
import type { PropertySchema, StructuralSchema } from '../schema/structural-schema.ts';
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts';

type Props = DeepReadonly<JSONSchemaProps>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The schema of values of which nothing is specified, below `additionalProperties: true`. */
const unspecified: StructuralSchema = { type: 'any', nullable: true };

/** The schema of a kind whose definition specifies none: all fields are kept. */
const unspecifiedRoot: StructuralSchema = { type: 'object', preserveUnknownFields: true, isUnstructured: true };

/**
 * The structural schema of the objects of a version. The definition's schema has been validated: it is a tree without
 * references. Defaults are pruned by the schemas that they are of.
 */
export function structuralSchemaOf(schema: Props | undefined): StructuralSchema {
  if (schema === undefined) return unspecifiedRoot;
  return { ...schemaOf(schema), isUnstructured: true };
}

function schemaOf(props: Props): StructuralSchema {
  const schema: Mutable<StructuralSchema> = { type: typeOf(props) };
  const format = props['x-kubernetes-int-or-string'] ? 'int-or-string' : props.format;
  if (format) schema.format = format;
  if (props.properties !== undefined) schema.properties = propertiesOf(props);
  const { additionalProperties: values, items } = props;
  if (values !== undefined && values !== false) schema.additionalProperties = isSchema(values) ? schemaOf(values) : unspecified;
  if (items !== undefined && isSchema(items)) schema.items = schemaOf(items);
  const listType = props['x-kubernetes-list-type'];
  if (listType === 'atomic' || listType === 'set' || listType === 'map') schema.listType = listType;
  const keys = props['x-kubernetes-list-map-keys'];
  if (keys !== undefined) schema.listMapKeys = keys;
  const mapType = props['x-kubernetes-map-type'];
  if (mapType === 'atomic' || mapType === 'granular') schema.mapType = mapType;
  if (props['x-kubernetes-preserve-unknown-fields']) schema.preserveUnknownFields = true;
  if (props['x-kubernetes-embedded-resource']) schema.embeddedResource = true;
  if (props.nullable) schema.nullable = true;
  if (props.default !== undefined && props.default !== null) schema.default = pruneDefault(props.default, schema);
  return schema;
}

/** A schema object, and neither a list of them nor a truth value. */
function isSchema(value: unknown): value is Props {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf({ type, 'x-kubernetes-int-or-string': isIntOrString }: Props): StructuralSchema['type'] {
  if (isIntOrString) return 'string';
  switch (type) {
    case 'object':
    case 'array':
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return type;
    default:
      return 'any';
  }
}

function propertiesOf({ properties = {}, required = [] }: Props): ReadonlyMap<string, PropertySchema> {
  const names = new Set(required);
  return new Map(
    Object.entries(properties).map(([name, props]) => [
      name,
      // As a pointer with omitempty: absent and zero values differ, and nothing is written that is not there.
      { schema: schemaOf(props), required: names.has(name), omitEmpty: true, pointer: true },
    ]),
  );
}

/** The default without the fields that its schema does not specify. */
function pruneDefault(value: unknown, schema: StructuralSchema): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const property = { schema, required: false, omitEmpty: true, pointer: true };
  const holder: StructuralSchema = { type: 'object', isUnstructured: true, properties: new Map([['default', property]]) };
  return decode({ default: cloneJSON(value) }, holder).object['default'];
}
