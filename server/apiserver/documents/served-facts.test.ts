import assert from 'node:assert/strict';
import type { APIResponse } from '../../../api/client/transport.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { withUser } from '../../../api/client/with-user.ts';
import {
  type DefinitionFact,
  type FieldFact,
  fullNameOf,
  type GroupFacts,
  loadFacts,
  type ResourceFact,
  type ShapeFact,
} from '../../../openapi/generate/facts.ts';
import { createOpenAPIDocuments } from '../../control-plane/openapi-documents.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

/** The served documents, compared with the facts of v1.36: everything is there, and nothing else. */

type JSONValue = ReturnType<typeof JSON.parse>;

const facts = loadFacts();
const servedFiles = facts.served.flatMap((served) => facts.files.filter(({ file }) => file === served.file));
const rootOf = ({ group = '', version = '' }: GroupFacts) => (group === '' ? `/api/${version}` : `/apis/${group}/${version}`);
const documentOf = (file: GroupFacts) => `/openapi/v3${rootOf(file)}`;
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const methodsOf: Readonly<Record<string, string>> = { create: 'post', update: 'put', patch: 'patch', delete: 'delete', get: 'get' };
const connectMethods = ['delete', 'get', 'head', 'options', 'patch', 'post', 'put'];

/** Paths with their methods, sorted, as the resource's verbs ask for. */
function* pathsOf(file: GroupFacts, plural: string, { namespaced, verbs, subresources = {} }: ResourceFact): Generator<string> {
  const root = `${rootOf(file)}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
  const line = (path: string, methods: readonly (string | undefined)[]) =>
    `${path} ${methods
      .filter((method) => method !== undefined)
      .sort()
      .join()}`;
  const has = (verb: string) => verbs.includes(verb);
  const onItems = ['delete', 'get', 'patch', 'update'].filter(has).map((verb) => methodsOf[verb]);
  const onAll = [has('list') ? 'get' : undefined, has('create') ? 'post' : undefined, has('deletecollection') ? 'delete' : undefined];
  yield line(root, onAll);
  if (onItems.length > 0) yield line(`${root}/{name}`, onItems);
  if (namespaced && has('list')) yield line(`${rootOf(file)}/${plural}`, ['get']);
  if (has('watch')) {
    const watch = root.replace(rootOf(file), `${rootOf(file)}/watch`);
    yield* [line(watch, ['get']), line(`${watch}/{name}`, ['get'])];
    if (namespaced) yield line(`${rootOf(file)}/watch/${plural}`, ['get']);
  }
  for (const [name, subresource] of Object.entries(subresources)) {
    const connects = subresource.kind?.endsWith('Options') === true && name !== 'log';
    const methods = !connects ? subresource.verbs.map((verb) => methodsOf[verb]) : name === 'proxy' ? connectMethods : ['get', 'post'];
    yield line(`${root}/{name}/${name}`, methods);
    if (name === 'proxy') yield line(`${root}/{name}/${name}/{path}`, methods);
  }
}

const servedPaths = (document: JSONValue): string[] =>
  Object.entries(document.paths as Record<string, object>).map(
    ([path, item]) =>
      `${path} ${Object.keys(item)
        .filter((key) => key !== 'parameters')
        .sort()
        .join()}`,
  );

/** The facts about one field that a document may not leave out. */
function expectedField(file: GroupFacts, fact: FieldFact): object {
  return {
    ...expectedShape(file, fact),
    ...(fact.listType === undefined ? {} : { listType: fact.listType }),
    ...(fact.mapType === undefined ? {} : { mapType: fact.mapType }),
    ...(fact.listMapKeys === undefined ? {} : { listMapKeys: fact.listMapKeys }),
    ...(fact.patchMergeKey === undefined ? {} : { patchMergeKey: fact.patchMergeKey }),
    ...(fact.patchStrategy === undefined ? {} : { patchStrategy: fact.patchStrategy.join() }),
    ...(fact.enum === undefined ? {} : { enum: [...fact.enum].sort() }),
  };
}

function expectedShape(file: GroupFacts, { type, ref, items, values, format }: ShapeFact): object {
  if (ref !== undefined) return { ref: fullNameOf(file, ref) };
  const shape = type === 'map' ? 'object' : type;
  return {
    ...(shape === undefined ? {} : { type: shape }),
    ...(items ? { items: expectedShape(file, items) } : {}),
    ...(values ? { values: expectedShape(file, values) } : {}),
    ...(format === undefined || shape !== 'integer' ? {} : { format }),
  };
}

function servedField(schema: JSONValue): object {
  const listType: unknown = schema['x-kubernetes-list-type'];
  const mapType: unknown = schema['x-kubernetes-map-type'];
  /** The enum of the value, or of its elements. */
  const values: string[] | undefined = schema.enum ?? schema.items?.enum ?? schema.additionalProperties?.enum;
  return {
    ...servedShape(schema),
    ...(listType === undefined ? {} : { listType }),
    ...(mapType === undefined ? {} : { mapType }),
    ...(schema['x-kubernetes-list-map-keys'] === undefined ? {} : { listMapKeys: schema['x-kubernetes-list-map-keys'] as unknown }),
    ...(schema['x-kubernetes-patch-merge-key'] === undefined ? {} : { patchMergeKey: schema['x-kubernetes-patch-merge-key'] as unknown }),
    ...(schema['x-kubernetes-patch-strategy'] === undefined ? {} : { patchStrategy: schema['x-kubernetes-patch-strategy'] as unknown }),
    ...(values === undefined ? {} : { enum: [...values].sort() }),
  };
}

function servedShape(schema: JSONValue): object {
  const reference: unknown = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (typeof reference === 'string') return { ref: reference.split('/').pop() };
  return {
    ...(schema.type === undefined ? {} : { type: schema.type as unknown }),
    ...(schema.items ? { items: servedShape(schema.items) } : {}),
    ...(schema.additionalProperties ? { values: servedShape(schema.additionalProperties) } : {}),
    ...(schema.format === undefined || schema.type !== 'integer' ? {} : { format: schema.format as unknown }),
  };
}

describe('what is served of the API', () => {
  let server: TestAPIServer;
  before(async () => {
    server = await startAPIServerInProcess({ overrides: { openAPI: createOpenAPIDocuments() } });
  });
  after(() => server.close());

  const get = async (path: string, accept = 'application/json'): Promise<JSONValue> => {
    const transport = withUser(server.transport, { name: 'admin', groups: ['system:masters'] });
    const { signal } = new AbortController();
    const request = { method: 'GET', path, query: '', headers: { accept }, signal } as const;
    const response: APIResponse = await transport(request);
    assert.equal(response.status, 200, path);
    return JSON.parse(Buffer.from(await readBody(response.body)).toString());
  };

  const names = facts.served.map(({ group, version }) => (group === '' ? version : `${group}/${version}`)).sort();

  it('all group versions, in either kind of discovery', async () => {
    const { groups } = await get('/apis');
    const { versions } = await get('/api');
    const listed = [...versions, ...groups.flatMap((one: JSONValue) => one.versions.map((version: JSONValue) => version.groupVersion))];
    assert.deepEqual(listed.sort(), names);
    const lists = [await get('/api', aggregated), await get('/apis', aggregated)];
    const together = lists.flatMap(({ items }) =>
      items.flatMap(({ metadata, versions: all }: JSONValue) =>
        all.map(({ version }: JSONValue) => (metadata.name ? `${metadata.name}/${version}` : version)),
      ),
    );
    assert.deepEqual(together.sort(), names);
  });

  for (const file of servedFiles) {
    it(`${rootOf(file)}: resources and verbs`, async () => {
      const expected = Object.entries(file.resources ?? {}).flatMap(([plural, resource]) => [
        { name: plural, kind: resource.kind, namespaced: resource.namespaced, verbs: resource.verbs, hash: resource.storageVersionHash },
        ...Object.entries(resource.subresources ?? {}).map(([name, { kind, verbs }]) => {
          return { name: `${plural}/${name}`, kind, namespaced: resource.namespaced, verbs, hash: undefined };
        }),
      ]);
      const { resources } = await get(rootOf(file));
      const served = resources.map(({ name, kind, namespaced, verbs, storageVersionHash: hash }: JSONValue) => {
        return { name, kind, namespaced, verbs, hash };
      });
      const byName = (all: readonly { readonly name: string }[]) => [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.deepEqual(byName(served), byName(expected));
    });

    it(`${documentOf(file)}: paths and methods`, async () => {
      const expected = Object.entries(file.resources ?? {}).flatMap(([plural, resource]) => [...pathsOf(file, plural, resource)]);
      const served = servedPaths(await get(documentOf(file)));
      assert.deepEqual([...served].sort(), [`${rootOf(file)}/ get`, ...expected].sort());
    });
  }

  it('all definitions with all their fields, list types and merge keys', async () => {
    const found = new Map(
      facts.files.flatMap((file) => Object.entries(file.definitions).map(([name, fact]) => [fullNameOf(file, name), { file, fact }])),
    );
    const problems: string[] = [];
    const checkDefinition = (where: string, file: GroupFacts, fact: DefinitionFact, schema: JSONValue) => {
      if (!fact.fields) return;
      const properties: Record<string, JSONValue> = schema.properties ?? {};
      assert.deepEqual(Object.keys(properties).sort(), Object.keys(fact.fields).sort(), where);
      for (const [name, field] of Object.entries(fact.fields)) {
        const [served, expected] = [servedField(properties[name]), expectedField(file, field)];
        if (JSON.stringify(sorted(served)) !== JSON.stringify(sorted(expected)))
          problems.push(`${where}.${name}: ${JSON.stringify(served)}, not ${JSON.stringify(expected)}`);
      }
    };
    const documents = await Promise.all(servedFiles.map(async (file) => (await get(documentOf(file))).components.schemas));
    const everything = await get('/openapi/v2');
    for (const schemas of [...documents, everything.definitions] as Record<string, JSONValue>[]) {
      for (const [name, schema] of Object.entries(schemas)) {
        const definition = found.get(name);
        assert.ok(definition, `${name} is no definition of v1.36`);
        checkDefinition(name, definition.file, definition.fact, schema);
      }
    }
    assert.deepEqual(problems.slice(0, 10), []);
  });
});

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, sorted(item)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
