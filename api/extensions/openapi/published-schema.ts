import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { isJSONObject, type JSONObject } from '../../base/json-object.ts';
import type { JSONSchemaProps } from '../../types/apiextensions-v1.ts';

type Props = DeepReadonly<JSONSchemaProps>;

/** The version of OpenAPI that a document is of. */
export type Spec = 'v2' | 'v3';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const conventions = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md';

const apiVersionText = `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${conventions}#resources`;
const kindText = `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${conventions}#types-kinds`;
const embeddedAPIVersionText = `apiVersion defines the versioned schema of this representation of an object. More info: ${conventions}#resources`;
const embeddedKindText = `kind is a string value representing the type of this object. In CamelCase. More info: ${conventions}#types-kinds`;
const metadataText = `Standard object's metadata. More info: ${conventions}#metadata`;
const listMetadataText = `Standard list metadata. More info: ${conventions}#types-kinds`;

export function referenceTo(spec: Spec, definition: string): JSONObject {
  return { $ref: `${spec === 'v2' ? '#/definitions/' : '#/components/schemas/'}${definition}` };
}

/** A reference that has its own description, which OpenAPI 3 does not allow beside a $ref. */
function describedReference(spec: Spec, definition: string, description: string): JSONObject {
  const reference = referenceTo(spec, definition);
  return spec === 'v2' ? { description, ...reference } : { description, allOf: [reference] };
}

const described = (description: string) => ({ description, type: 'string' });

/** The fields of a schema that a document shows as they are. */
const plainFields = ['format', 'maximum', 'minimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'multipleOf'] as const;
const furtherFields = ['enum', 'maxProperties', 'minProperties', 'x-kubernetes-validations'] as const;

/**
 * The schema of a kind's objects as an OpenAPI document shows it. OpenAPI 2 knows no alternatives, defaults or nulls, and a value that
 * preserves unknown fields is untyped there.
 */
export function publishKindSchema(props: Props | undefined, spec: Spec): JSONObject {
  if (props === undefined || (spec === 'v2' && props['x-kubernetes-preserve-unknown-fields'])) return { type: 'object' };
  const schema = publish(props, spec);
  const properties = {
    ...(schema['properties'] as JSONObject | undefined),
    apiVersion: described(apiVersionText),
    kind: described(kindText),
    metadata: describedReference(spec, `${meta}.ObjectMeta`, metadataText),
  };
  return { ...schema, properties };
}

/** The schema of lists of a kind. */
export function publishListSchema(
  spec: Spec,
  names: { readonly plural: string; readonly kind: string; readonly listKind: string },
  definition: string,
): JSONObject {
  return {
    description: `${names.listKind} is a list of ${names.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: described(apiVersionText),
      items: { description: `List of ${names.plural}. More info: ${conventions}`, type: 'array', items: referenceTo(spec, definition) },
      kind: described(kindText),
      metadata: describedReference(spec, `${meta}.ListMeta`, listMetadataText),
    },
  };
}

const isSchema = (value: unknown): value is Props => isJSONObject(value);

function publish(props: Props, spec: Spec): JSONObject {
  const isOpen = spec === 'v2' && props['x-kubernetes-preserve-unknown-fields'] === true;
  const isUntyped = spec === 'v2' && props.nullable === true;
  const hidesParts = isOpen || isUntyped;
  const schema: JSONObject = {};
  if (props.description) schema['description'] = props.description;
  if (props.title) schema['title'] = props.title;
  if (props.type && !isUntyped && !(isOpen && (props.type === 'object' || props.type === 'array'))) schema['type'] = props.type;
  if (spec === 'v3' && props.nullable) schema['nullable'] = true;
  if (spec === 'v3' && props.default !== undefined && props.default !== null) schema['default'] = props.default;
  addValueRules(schema, props);
  const { items, properties, additionalProperties } = props;
  if (isSchema(items) && !hidesParts) schema['items'] = publish(items, spec);
  if (properties !== undefined && !hidesParts) {
    const published = Object.entries(properties).map(([name, property]) => [name, publish(property, spec)] as const);
    if (published.length > 0) schema['properties'] = Object.fromEntries(published);
  }
  if (additionalProperties !== undefined)
    schema['additionalProperties'] = isSchema(additionalProperties) ? publish(additionalProperties, spec) : additionalProperties;
  const required = requiredOf(props, spec, hidesParts);
  if (required.length > 0) schema['required'] = required;
  if (spec === 'v3') addAlternatives(schema, props);
  addExtensions(schema, props);
  if (props['x-kubernetes-embedded-resource'] && !isOpen) addEmbedded(schema, spec);
  return schema;
}

function addValueRules(schema: JSONObject, props: Props): void {
  for (const field of [...plainFields, ...furtherFields]) {
    const value = props[field];
    if (value !== undefined && value !== '') schema[field] = value;
  }
  if (props.exclusiveMaximum) schema['exclusiveMaximum'] = true;
  if (props.exclusiveMinimum) schema['exclusiveMinimum'] = true;
}

/** OpenAPI 2 cannot say that a required value may be null. */
function requiredOf({ required = [], properties, additionalProperties }: Props, spec: Spec, hidesParts: boolean): readonly string[] {
  if (spec === 'v3') return required;
  if (isSchema(additionalProperties) && additionalProperties.nullable) return [];
  return hidesParts ? required : required.filter((name) => properties?.[name]?.nullable !== true);
}

const intOrString = [{ type: 'integer' }, { type: 'string' }];

function isIntOrString(schemas: readonly Props[] | undefined): boolean {
  return JSON.stringify(schemas) === JSON.stringify(intOrString);
}

function addAlternatives(schema: JSONObject, props: Props): void {
  const list = (schemas: readonly Props[] | undefined) => (schemas ?? []).map(publishNested);
  let anyOf = list(props.anyOf);
  let allOf = list(props.allOf);
  const isTold = isIntOrString(props.anyOf) || isIntOrString(props.allOf?.[0]?.anyOf);
  if (props['x-kubernetes-int-or-string'] && !isTold) {
    if (anyOf.length === 0) anyOf = intOrString;
    else allOf = [{ anyOf: intOrString }, ...allOf];
  }
  const oneOf = list(props.oneOf);
  if (allOf.length > 0) schema['allOf'] = allOf;
  if (anyOf.length > 0) schema['anyOf'] = anyOf;
  if (oneOf.length > 0) schema['oneOf'] = oneOf;
  if (props.not !== undefined) schema['not'] = publishNested(props.not);
}

/** Rules within an alternative. */
function publishNested(props: Props): JSONObject {
  const schema: JSONObject = {};
  if (props.type) schema['type'] = props.type;
  addValueRules(schema, props);
  if (isSchema(props.items)) schema['items'] = publishNested(props.items);
  if (props.properties !== undefined)
    schema['properties'] = Object.fromEntries(Object.entries(props.properties).map(([name, property]) => [name, publishNested(property)]));
  if (props.required && props.required.length > 0) schema['required'] = props.required;
  addAlternatives(schema, props);
  return schema;
}

function addExtensions(schema: JSONObject, props: Props): void {
  for (const field of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource', 'x-kubernetes-int-or-string'] as const)
    if (props[field]) schema[field] = true;
  const keys = props['x-kubernetes-list-map-keys'];
  if (keys && keys.length > 0) schema['x-kubernetes-list-map-keys'] = keys;
  for (const field of ['x-kubernetes-list-type', 'x-kubernetes-map-type'] as const) if (props[field]) schema[field] = props[field];
}

function addEmbedded(schema: JSONObject, spec: Spec): void {
  schema['properties'] = {
    ...(schema['properties'] as JSONObject | undefined),
    apiVersion: described(embeddedAPIVersionText),
    kind: described(embeddedKindText),
    metadata: describedReference(spec, `${meta}.ObjectMeta`, metadataText),
  };
  const required = (schema['required'] as readonly string[] | undefined) ?? [];
  schema['required'] = [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))];
}
