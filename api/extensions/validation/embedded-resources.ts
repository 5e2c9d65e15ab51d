import { isJSONObject, type JSONObject } from '../../base/json-object.ts';
import { type ObjectMetaLike, validateObjectMeta } from '../../meta/object-meta.ts';
import type { StructuralSchema } from '../../schema/structural-schema.ts';
import { type FieldError, hasEnoughErrors, invalid, required } from '../../validation/field-error.ts';
import type { FieldPath } from '../../validation/field-path.ts';
import { dns1035LabelProblems, type NameRule } from '../../validation/names.ts';

const embedding = new WeakMap<StructuralSchema, boolean>();

/** Names of embedded objects need only fit into a path. */
const nameIsPathSegment: NameRule = (name) => {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
};

/** Validates apiVersion, kind and metadata of an embedded resource. */
export function validateEmbeddedResources(value: unknown, schema: StructuralSchema, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  visit(value, schema, path, errors);
  return errors;
}

function visit(value: unknown, schema: StructuralSchema, path: FieldPath, errors: FieldError[]): void {
  if (typeof value !== 'object' || value === null || !reachesEmbedded(schema) || hasEnoughErrors(errors)) return;
  if (Array.isArray(value)) {
    if (schema.items) for (const [index, item] of value.entries()) visit(item, schema.items, path.index(index), errors);
    return;
  }
  const object = value as JSONObject;
  if (schema.embeddedResource) errors.push(...validateEmbedded(object, path));
  for (const key in object) {
    const property = schema.properties?.get(key)?.schema;
    if (property !== undefined) visit(object[key], property, path.child(key), errors);
    else if (schema.additionalProperties !== undefined) visit(object[key], schema.additionalProperties, path.key(key), errors);
  }
}

function reachesEmbedded(schema: StructuralSchema): boolean {
  const known = embedding.get(schema);
  if (known !== undefined) return known;
  const { properties, additionalProperties, items, embeddedResource } = schema;
  const reaches = (inner: StructuralSchema | undefined) => inner !== undefined && reachesEmbedded(inner);
  const found =
    embeddedResource === true ||
    reaches(items) ||
    reaches(additionalProperties) ||
    [...(properties?.values() ?? [])].some((property) => reaches(property.schema));
  embedding.set(schema, found);
  return found;
}

function validateEmbedded(object: JSONObject, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['apiVersion', 'kind'] as const) {
    const at = path.child(name);
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value === undefined) errors.push(required(at, 'must not be empty'));
    else if (typeof value !== 'string') errors.push(invalid(at, value, 'must be a string'));
    else if (value === '') errors.push(invalid(at, value, 'must not be empty'));
    else if (name === 'apiVersion') {
      if (value.split('/').length > 2) errors.push(invalid(at, value, `unexpected GroupVersion string: ${value}`));
    } else {
      const problems = dns1035LabelProblems(value.toLowerCase());
      if (problems.length > 0) errors.push(invalid(at, value, `may have mixed case, but should otherwise match: ${problems.join(',')}`));
    }
  }
  const { metadata } = object;
  if (!isJSONObject(metadata)) return errors;
  const meta = metadata as ObjectMetaLike;
  const named = meta.name ? meta : { ...meta, name: 'fakename' };
  return [...errors, ...validateObjectMeta(named, (meta.namespace ?? '') !== '', nameIsPathSegment, path.child('metadata'))];
}
