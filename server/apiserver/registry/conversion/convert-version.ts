import type { ConvertVersion, PlainObject } from '../../../../api/apply/versions.ts';
import { structuralSchemaOf } from '../../../../api/extensions/structural-schema-of.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../../api/resource/schema-of.ts';
import { decode } from '../../../../api/schema/decode.ts';
import type { StructuralSchema } from '../../../../api/schema/structural-schema.ts';

/**
 * The conversion of objects of a kind from the version of `definition` to the others that managers of their fields have used.
 * Objects of kinds with a conversion webhook need that instead, see schemaOfVersion.
 */
export function createVersionConversion(definition: ResourceDefinition, definitions: readonly ResourceDefinition[]): ConvertVersion {
  if (!definition.schema) return createBuiltInConversion(definition, definitions);
  return (object, apiVersion) => {
    const schema = schemaOfVersion(definition, apiVersion);
    return schema && { schema, object: { ...object, apiVersion } };
  };
}

const schemas = new WeakMap<object, StructuralSchema>();

/** The schema of a version of a custom kind, which need not be served; undefined if there is no such version. */
export function schemaOfVersion({ group, origin }: ResourceDefinition, apiVersion: string): StructuralSchema | undefined {
  const version = origin?.crd.spec.versions.find(({ name }) => apiVersionOf({ group, version: name }) === apiVersion);
  if (!version) return undefined;
  let schema = schemas.get(version);
  if (!schema) schemas.set(version, (schema = structuralSchemaOf(version.schema?.openAPIV3Schema)));
  return schema;
}

/**
 * Versions of other groups are none of the kind's own, though its objects are served there too (Events): so it is upstream.
 * Versions of its own group that are served no more had the same fields.
 */
function createBuiltInConversion(definition: ResourceDefinition, definitions: readonly ResourceDefinition[]): ConvertVersion {
  const { group, names } = definition;
  const own = apiVersionOf(definition);
  const isSameKind = (other: ResourceDefinition) => other.group === group && other.names.kind === names.kind;
  const versions = new Map(definitions.filter(isSameKind).map((other) => [apiVersionOf(other), other]));
  return (object, apiVersion) => {
    const [from, to] = [versions.get(String(object['apiVersion'] ?? own)), versions.get(apiVersion)];
    if (from && to) return { schema: schemaOf(to), object: convertBuiltIn(object, from, to) };
    return apiVersion.startsWith(`${group}/`) ? { schema: schemaOf(definition), object } : undefined;
  };
}

function convertBuiltIn(object: PlainObject, from: ResourceDefinition, to: ResourceDefinition): PlainObject {
  const start = decode(object, schemaOf(from)).object as unknown as KubeObject;
  const stored = from.convert ? from.convert.toStorage(start) : start;
  const converted = to.convert ? to.convert.fromStorage(stored) : stored;
  return { ...converted, apiVersion: apiVersionOf(to), kind: to.names.kind };
}
