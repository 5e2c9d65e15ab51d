import assert from 'node:assert/strict';
import { allPaths, generateDocuments } from './documents.ts';
import { loadFacts } from './facts.ts';
import { loadParameterTexts } from './parameter-texts.ts';
import type { SchemaObject } from './schemas.ts';
import { loadTexts } from './texts.ts';

const facts = loadFacts();
const documents = generateDocuments(facts, loadTexts(facts), loadParameterTexts());

interface Document {
  readonly paths: Record<string, Record<string, Record<string, unknown>>>;
  readonly definitions?: Record<string, SchemaObject>;
  readonly parameters?: Record<string, { readonly in: string; readonly name: string }>;
  readonly components?: { readonly schemas: Record<string, SchemaObject> };
}

function documentOf(name: string): Document {
  const document = documents.get(name);
  assert.ok(document, name);
  return document as unknown as Document;
}

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === '$ref' && typeof item === 'string' ? [item] : references(item)));
}

describe('OpenAPI documents', () => {
  const v2 = documentOf('v2.json');
  const operations = Object.values(v2.paths).flatMap((item) =>
    Object.entries(item)
      .filter(([method]) => method !== 'parameters')
      .map(([, operation]) => operation),
  );

  it('hold what v1.36 publishes of the stable groups', () => {
    assert.equal(Object.keys(v2.paths).length, 408);
    assert.equal(Object.keys(v2.definitions ?? {}).length, 584);
    assert.equal(documents.size, 1 + 5 + 22 + 20);
  });

  it('have unique operation ids', () => {
    const ids = operations.map((operation) => operation['operationId']);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('are closed under references', () => {
    for (const [name, document] of documents) {
      const { definitions, parameters, components } = document as unknown as Document;
      for (const reference of references(document)) {
        const [, place, target = ''] = /^#\/(?:components\/)?(\w+)\/(.*)$/.exec(reference) ?? [];
        assert.ok({ definitions, parameters, schemas: components?.schemas }[place ?? '']?.[target], `${name}: ${reference}`);
      }
    }
  });

  it('declare every path parameter, and no other', () => {
    for (const [path, item] of Object.entries(v2.paths)) {
      const listed = (item['parameters'] ?? []) as unknown as { in: string; name: string; $ref?: string }[];
      const shared = listed.map((parameter) =>
        parameter.$ref === undefined ? parameter : (v2.parameters?.[parameter.$ref.slice('#/parameters/'.length)] ?? parameter),
      );
      const declared = shared.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
      assert.deepEqual([...declared].sort(), Array.from(path.matchAll(/\{(\w+)\}/g), (match) => match[1]).sort(), path);
    }
  });

  it('offer fieldValidation wherever objects are written', () => {
    const pods = documentOf('v3/api/v1.json').paths['/api/v1/namespaces/{namespace}/pods/{name}'];
    const parameters = (pods?.['patch']?.['parameters'] ?? []) as { name: string }[];
    const names = parameters.map((parameter) => parameter.name);
    assert.deepEqual(names, ['dryRun', 'fieldManager', 'fieldValidation', 'force']);
    assert.equal(pods?.['patch']?.['x-kubernetes-action'], 'patch');
    assert.deepEqual(pods?.['patch']?.['x-kubernetes-group-version-kind'], { group: '', kind: 'Pod', version: 'v1' });
  });

  it('give every kind its texts, extensions, enums and defaults', () => {
    const schemas = documentOf('v3/api/v1.json').components?.schemas ?? {};
    const spec = schemas['io.k8s.api.core.v1.PodSpec'] as { description: string; properties: Record<string, SchemaObject> };
    assert.equal(spec.description, 'PodSpec is a description of a pod.');
    const containers = spec.properties['containers'] ?? {};
    assert.match(String(containers['description']), /^List of containers belonging to the pod\./);
    assert.deepEqual(
      { ...containers, description: '' },
      {
        description: '',
        type: 'array',
        items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.Container' }], default: {} },
        'x-kubernetes-list-map-keys': ['name'],
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-patch-merge-key': 'name',
        'x-kubernetes-patch-strategy': 'merge',
      },
    );
    const container = schemas['io.k8s.api.core.v1.Container'] as { properties: Record<string, SchemaObject> };
    assert.deepEqual(container.properties['imagePullPolicy']?.['enum'], ['Always', 'IfNotPresent', 'Never']);
    assert.equal(container.properties['name']?.['default'], '');
    const port = schemas['io.k8s.api.core.v1.ContainerPort'] as { properties: Record<string, SchemaObject> };
    assert.equal(port.properties['protocol']?.['default'], 'TCP');
  });

  it('have documentation for nearly all fields', () => {
    const fields = Object.values(v2.definitions ?? {}).flatMap((definition) =>
      Object.values((definition['properties'] ?? {}) as Record<string, SchemaObject>),
    );
    const silent = fields.filter((field) => field['description'] === undefined);
    assert.ok(silent.length < 50, `${silent.length} of ${fields.length} fields have no text`);
  });

  it('name each version 3 document as its root path', () => {
    for (const [name, paths] of allPaths(facts))
      for (const path of paths.keys()) assert.ok(path.startsWith(`/${name}/`), `${name}: ${path}`);
  });
});
