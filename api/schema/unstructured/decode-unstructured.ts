import { JSONFloat } from '../../base/json-float.ts';
import { isJSONObject, type JSONObject, setOwn } from '../../base/json-object.ts';
import { formatFieldError, invalid } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';
import { DecodeError } from '../decode-error.ts';
import { type Decoded, maxUnknownFields } from '../decoded.ts';
import { getDefinitionSchema } from '../definition-schema.ts';
import type { StructuralSchema } from '../structural-schema.ts';

type DecodeStruct = (value: unknown, schema: StructuralSchema) => Decoded;

/** The fields that every object has, whether or not its schema names them. */
const objectFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** The state of one decoding. */
interface Walk {
  readonly decodeStruct: DecodeStruct;
  /** Names and indexes down to the value at hand. */
  readonly steps: (string | number)[];
  /** Which of them are keys of maps. */
  readonly isKey: boolean[];
  readonly pruned: Set<string>;
  readonly unknownMetadata: string[];
}

/**
 * Decodes a custom object as upstream does: metadata becomes an ObjectMeta, also those of embedded resources; fields that the
 * schema does not specify are dropped and reported; so are nulls where the schema neither allows them nor has a default.
 * The types of values are left to validation. The result shares no structure with `value`. Throws DecodeError.
 */
export function decodeUnstructured(value: unknown, schema: StructuralSchema, decodeStruct: DecodeStruct): Decoded {
  const walk: Walk = { decodeStruct, steps: [], isKey: [], pruned: new Set(), unknownMetadata: [] };
  const source = isJSONObject(value) ? value : {};
  const hasMetadata = Object.hasOwn(source, 'metadata');
  const decoded = hasMetadata ? decodeMetadata(source['metadata'], decodeStruct) : undefined;
  const object: JSONObject = {};
  copyFields(source, schema, true, object, walk);
  if (decoded) object['metadata'] = decoded.object;
  const unknownFields = [
    ...(decoded?.unknownFields ?? []).map((path) => `metadata.${path}`),
    ...[...walk.pruned].sort(),
    ...walk.unknownMetadata.sort(),
  ];
  return { object, unknownFields: unknownFields.slice(0, maxUnknownFields) };
}

function objectMetaSchema(): StructuralSchema {
  return getDefinitionSchema('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
}

function decodeMetadata(value: unknown, decodeStruct: DecodeStruct): Decoded {
  return decodeStruct(value ?? {}, objectMetaSchema());
}

/**
 * A copy of the value without the fields that the schema does not specify. `isKept` is true within a value with
 * x-kubernetes-preserve-unknown-fields.
 */
function copyValue(value: unknown, schema: StructuralSchema | undefined, isKept: boolean, walk: Walk): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof JSONFloat) return value.value;
  const preserves = isKept || schema?.preserveUnknownFields === true;
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      enter(walk, index, false);
      list.push(copyValue(value[index], schema?.items, preserves, walk));
      leave(walk);
    }
    return list;
  }
  const object: JSONObject = {};
  copyFields(value as JSONObject, schema, false, object, walk, preserves);
  return object;
}

function copyFields(
  source: JSONObject,
  schema: StructuralSchema | undefined,
  isRoot: boolean,
  target: JSONObject,
  walk: Walk,
  preserves = schema?.preserveUnknownFields === true,
): void {
  const isEmbedded = !isRoot && schema?.embeddedResource === true;
  for (const key in source) {
    const value = source[key];
    if ((isRoot || isEmbedded) && objectFields.has(key)) {
      if (isEmbedded) copyObjectField(key, value, target, walk);
      else setOwn(target, key, value);
      continue;
    }
    const own = schema?.properties?.get(key)?.schema;
    const property = own ?? schema?.additionalProperties;
    if (property === undefined) {
      if (preserves) setOwn(target, key, copyValue(value, undefined, true, walk));
      else recordUnknown(key, walk);
      continue;
    }
    if (value === null && property.nullable !== true && property.default === undefined) continue;
    enter(walk, key, own === undefined);
    setOwn(target, key, copyValue(value, property, false, walk));
    leave(walk);
  }
}

function enter({ steps, isKey }: Walk, step: string | number, isMapKey: boolean): void {
  steps.push(step);
  isKey.push(isMapKey);
}

function leave({ steps, isKey }: Walk): void {
  steps.pop();
  isKey.pop();
}

function recordUnknown(key: string, { steps, pruned }: Walk): void {
  if (pruned.size >= maxUnknownFields) return;
  pruned.add(formatSteps([...steps, key]));
}

function formatSteps(steps: readonly (string | number)[]): string {
  let path = '';
  for (const step of steps) path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
  return path;
}

/** apiVersion, kind and metadata of an embedded resource. */
function copyObjectField(key: string, value: unknown, target: JSONObject, walk: Walk): void {
  if (key !== 'metadata') {
    if (typeof value !== 'string') throw malformed(key, value, 'must be a string', walk);
    target[key] = value;
    return;
  }
  try {
    const { object, unknownFields } = decodeMetadata(value, walk.decodeStruct);
    const { creationTimestamp, ...metadata } = object;
    target['metadata'] = creationTimestamp ? object : metadata;
    const at = fieldPath(walk).child('metadata');
    walk.unknownMetadata.push(...unknownFields.map((path) => `${at}.${path}`));
  } catch (error) {
    if (error instanceof DecodeError) throw malformed(key, value, error.message, walk);
    throw error;
  }
}

function malformed(key: string, value: unknown, detail: string, walk: Walk): DecodeError {
  return new DecodeError(formatFieldError(invalid(fieldPath(walk).child(key), value, detail)));
}

function fieldPath({ steps, isKey }: Walk): FieldPath {
  let path = FieldPath.root;
  for (const [index, step] of steps.entries())
    path = typeof step === 'number' ? path.index(step) : isKey[index] ? path.key(step) : path.child(step);
  return path;
}
