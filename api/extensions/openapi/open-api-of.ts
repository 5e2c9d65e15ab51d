import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { isJSONObject, type JSONObject } from '../../base/json-object.ts';
import type { CustomResourceDefinition } from '../../types/apiextensions-v1.ts';
import { toDefinitions } from '../to-definitions.ts';
import { type PublishedParameters, readPublishedParameters } from './published-parameters.ts';
import { publishPaths } from './published-paths.ts';
import { publishKindSchema, publishListSchema, type Spec } from './published-schema.ts';

type CRD = DeepReadonly<CustomResourceDefinition>;

/** The parts of a document that describe one version of a custom kind. */
export interface PublishedKind {
  /** Schemas by the names of their definitions. */
  readonly schemas: JSONObject;
  readonly paths: JSONObject;
}

/** A served version of a custom kind as documents of OpenAPI show it; undefined where the version is not served. */
export function openAPIOf(crd: CRD, version: string, spec: Spec, parameters: PublishedParameters): PublishedKind | undefined {
  const own = crd.spec.versions.find(({ name }) => name === version);
  if (!own) return undefined;
  const [kind] = toDefinitions({ ...crd, spec: { ...crd.spec, versions: [own] } });
  if (!kind) return undefined;
  const { group, names, definition } = kind;
  const extensionsOf = (name: string) => ({
    'x-kubernetes-group-version-kind': [{ group, kind: name, version }],
    'x-kubernetes-selectable-fields': (own.selectableFields ?? []).map(({ jsonPath }) => ({ fieldPath: jsonPath.replace(/^\./, '') })),
  });
  const listDefinition = `${definition.slice(0, -names.kind.length)}${names.listKind}`;
  return {
    schemas: {
      [definition]: { ...publishKindSchema(own.schema?.openAPIV3Schema, spec), ...extensionsOf(names.kind) },
      [listDefinition]: { ...publishListSchema(spec, names, definition), ...extensionsOf(names.listKind) },
    },
    paths: publishPaths(kind, spec, parameters),
  };
}

/**
 * The OpenAPI 3 document of a group and version that holds custom kinds. `template` is the document of apps/v1, which provides the schemas
 * that all kinds share.
 */
export function openAPIV3Document(kinds: readonly { readonly crd: CRD; readonly version: string }[], template: JSONObject): JSONObject {
  const parameters = readPublishedParameters(template);
  const paths: JSONObject = {};
  const schemas: JSONObject = {};
  for (const { crd, version } of kinds) {
    const published = openAPIOf(crd, version, 'v3', parameters);
    Object.assign(paths, published?.paths);
    Object.assign(schemas, published?.schemas);
  }
  const known = ((template['components'] as JSONObject | undefined)?.['schemas'] ?? {}) as JSONObject;
  addReferenced([paths, schemas], known, schemas);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
    paths,
    components: { schemas: Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1))) },
  };
}

const prefix = '#/components/schemas/';

/** Adds the known schemas that the value refers to, and those that they refer to. */
function addReferenced(value: unknown, known: JSONObject, schemas: JSONObject): void {
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) waiting.push(...(next as unknown[]));
    else if (isJSONObject(next)) {
      const { $ref: reference } = next;
      const name = typeof reference === 'string' && reference.startsWith(prefix) ? reference.slice(prefix.length) : '';
      if (name !== '' && Object.hasOwn(known, name) && !Object.hasOwn(schemas, name)) {
        schemas[name] = known[name];
        waiting.push(known[name]);
      }
      for (const member of Object.values(next)) if (typeof member === 'object' && member !== null) waiting.push(member);
    }
  }
}
