import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { JSONObject } from '../../base/json-object.ts';
import type { CustomResourceDefinition } from '../../types/apiextensions-v1.ts';
import { openAPIOf, openAPIV3Document } from './open-api-of.ts';
import type { PublishedParameters } from './published-parameters.ts';

/** Definitions, and the schemas and operations that kube-apiserver v1.32 published of them. */
const recorded = JSON.parse(readFileSync(new URL('testdata/recorded.json', import.meta.url), 'utf8')) as {
  readonly crds: readonly CustomResourceDefinition[];
  readonly v2: JSONObject;
  readonly v3: JSONObject;
  readonly operations: JSONObject;
};
const { crds } = recorded;
const query = (name: string) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } });
const parameters: PublishedParameters = {
  get: [query('resourceVersion')],
  list: [query('limit'), query('watch')],
  create: [query('dryRun')],
  update: [query('dryRun')],
  patch: [query('dryRun'), query('force')],
  delete: [query('dryRun')],
  namespace: { name: 'namespace', in: 'path', required: true, schema: { type: 'string', uniqueItems: true } },
  pretty: query('pretty'),
};

/** A built-in document, reduced to the parts that are read. */
const template: JSONObject = {
  paths: Object.fromEntries(
    [
      ['', { get: { parameters: [query('limit'), query('resourceVersion')] }, post: { parameters: [query('dryRun')] } }] as const,
      ['/{name}', { put: {}, patch: { parameters: [query('force')] }, delete: {} }] as const,
    ].map(([path, item]) => [
      `/apis/apps/v1/namespaces/{namespace}/deployments${path}`,
      { ...item, parameters: [parameters.namespace, parameters.pretty] },
    ]),
  ),
  components: {
    schemas: {
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { $ref: '#/components/schemas/other' },
      other: { type: 'string' },
      unused: { type: 'string' },
    },
  },
};

describe('the documents of a custom kind', () => {
  for (const spec of ['v2', 'v3'] as const)
    it(`have the schemas that kube-apiserver publishes in OpenAPI ${spec}`, () => {
      const schemas = Object.assign({}, ...crds.map((crd) => openAPIOf(crd, 'v1', spec, parameters)?.schemas)) as JSONObject;
      assert.deepEqual(schemas, recorded[spec]);
    });

  it('have its operations', () => {
    const paths = Object.assign({}, ...crds.map((crd) => openAPIOf(crd, 'v1', 'v3', parameters)?.paths)) as Record<
      string,
      Record<string, JSONObject>
    >;
    const operations = Object.fromEntries(
      Object.entries(paths).map(([path, item]) => [
        path,
        Object.fromEntries(
          Object.entries(item)
            .filter(([method]) => method !== 'parameters')
            .map(([method, { operationId, description, 'x-kubernetes-action': action }]) => [method, { operationId, description, action }]),
        ),
      ]),
    );
    assert.deepEqual(operations, recorded.operations);
  });

  it('let a patch name its parameters and media types', () => {
    const paths = openAPIOf(crds[1] as CustomResourceDefinition, 'v1', 'v2', parameters)?.paths as Record<
      string,
      Record<string, JSONObject>
    >;
    const patch = paths['/apis/oa.example.com/v1/ocelots/{name}']?.['patch'];
    assert.deepEqual(patch?.['consumes'], ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']);
    assert.deepEqual(
      ((patch?.['parameters'] ?? []) as { name: string }[]).map(({ name }) => name),
      ['body', 'dryRun', 'force'],
    );
  });

  it('are none for a version that is not served', () =>
    assert.equal(openAPIOf(crds[0] as CustomResourceDefinition, 'v2', 'v3', parameters), undefined));

  it('hold what they refer to, and no more', () => {
    const document = openAPIV3Document(
      crds.map((crd) => ({ crd, version: 'v1' })),
      template,
    ) as { components: { schemas: object } };
    const names = Object.keys(document.components.schemas);
    assert.deepEqual(
      names.filter((name) => !name.startsWith('com.')),
      ['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', 'other'],
    );
  });
});
