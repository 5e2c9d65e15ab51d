import assert from 'node:assert/strict';
import { catalog } from '../../../api/resources/catalog.ts';
import { createLargeTasks } from '../../apiserver/registry/large-objects/large-tasks.ts';
import type { LargeTask, LargeWork } from '../../apiserver/registry/large-objects/large-work.ts';
import { type APICaller, createAPICaller } from '../../apiserver/testing/api-caller.ts';
import { type CompleteServer, eventually, startCompleteServer } from '../../apiserver/testing/complete-server.ts';

interface Stored {
  readonly apiVersion: string;
  readonly metadata: { readonly generation: number; readonly managedFields: readonly { readonly manager: string }[] };
  readonly spec: Readonly<Record<string, unknown>>;
}

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const text = (length: number) => 'x'.repeat(length);
const string = { type: 'string' };
const list = (items: object) => ({ type: 'array', items });

function definitionOf(plural: string, properties: object) {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.large.example.com` },
    spec: {
      ...{ group: 'large.example.com', scope: 'Namespaced', names: { plural, kind: plural.toUpperCase() } },
      versions: [
        { name: 'v1', served: true, storage: true, schema },
        { name: 'v2', served: true, storage: false, schema },
      ],
    },
  };
}

describe('large objects of custom kinds', () => {
  const perform = createLargeTasks(catalog, () => 0);
  const tasks: LargeTask['kind'][] = [];
  const largeWork: LargeWork = {
    async run(task) {
      tasks.push(task.kind);
      // As it comes to another thread.
      const { object, ...others } = perform(structuredClone(task));
      return { object: structuredClone(object), ...others };
    },
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
  };
  const collection = (plural: string, version = 'v1') => `/apis/large.example.com/${version}/namespaces/default/${plural}`;
  const objectOf = (plural: string, spec: object, version = 'v1') => ({
    ...{ apiVersion: `large.example.com/${version}`, kind: plural.toUpperCase(), metadata: { name: 'one' } },
    spec,
  });
  let complete: CompleteServer;
  let api: APICaller;
  before(async () => {
    complete = await startCompleteServer(undefined, {}, {}, { largeWork });
    api = createAPICaller(complete.server.transport);
  });
  after(() => complete.close());
  beforeEach(() => {
    tasks.length = 0;
  });

  async function define(plural: string, properties: object): Promise<void> {
    assert.equal((await api.post(definitionsPath, definitionOf(plural, properties))).status, 201);
    await eventually(`${plural} are served`, async () => (await api.get(collection(plural))).status === 200);
    tasks.length = 0;
  }

  it('are decoded, pruned, defaulted, validated and owned in another thread', async () => {
    await define('as', { l: list(string), d: { type: 'integer', default: 7 }, m: { type: 'string', maxLength: 3 } });
    const l = Array.from({ length: 5000 }, (_, index) => `item-${index}`);
    const created = await api.post<Stored>(collection('as'), objectOf('as', { l, unknown: 1 }));
    assert.deepEqual([created.status, created.body.spec, created.body.metadata.generation], [201, { l, d: 7 }, 1]);
    assert.deepEqual(tasks, ['read', 'settle']);
    assert.deepEqual(
      created.body.metadata.managedFields.map(({ manager }) => manager !== ''),
      [true],
    );
    const refused = await api.failure(api.post(collection('as'), { ...objectOf('as', { l, m: 'long' }), metadata: { name: 'two' } }));
    assert.match(refused.message ?? '', /^AS\.large\.example\.com "two" is invalid: spec\.m: Too long: may not be more than 3 bytes$/);
    const other = await api.get<Stored>(`${collection('as', 'v2')}/one`);
    assert.deepEqual([other.body.apiVersion, other.body.spec], ['large.example.com/v2', { l, d: 7 }]);
    const changed = await api.put<Stored>(`${collection('as', 'v2')}/one`, { ...other.body, spec: { ...other.body.spec, d: 8 } });
    assert.deepEqual([changed.status, changed.body.spec['d'], changed.body.metadata.generation], [200, 8, 2]);
    assert.deepEqual((await api.get<Stored>(`${collection('as')}/one`)).body.spec['d'], 8);
  });

  it('are read by the schema of now', async () => {
    await define('bs', { l: list(string) });
    const l = Array.from({ length: 5000 }, (_, index) => `item-${index}`);
    await api.post(collection('bs'), objectOf('bs', { l }));
    const name = `${definitionsPath}/bs.large.example.com`;
    const { body } = await api.get<ReturnType<typeof definitionOf>>(name);
    const { spec } = definitionOf('bs', { l: list(string), added: { type: 'string', default: 'now' } });
    assert.equal((await api.put(name, { ...body, spec: { ...body.spec, versions: spec.versions } })).status, 200);
    await eventually('the new schema is in use', async () => {
      const { body: created } = await api.post<Stored>(`${collection('bs')}?dryRun=All`, {
        ...objectOf('bs', { l }),
        metadata: { name: 'two' },
      });
      return created.spec['added'] === 'now';
    });
  });

  it('do not grow by more defaults than could be stored, neither when they are written nor when they are read', async () => {
    await define('gs', { l: list({ type: 'object', properties: {} }) });
    // Small enough to be worked on in this thread.
    const l = Array.from({ length: 2000 }, () => ({}));
    assert.equal((await api.post(collection('gs'), objectOf('gs', { l }))).status, 201);
    const name = `${definitionsPath}/gs.large.example.com`;
    const { body } = await api.get<ReturnType<typeof definitionOf>>(name);
    const grown = { type: 'object', properties: { a: { ...string, default: text(20_000) } } };
    const { spec } = definitionOf('gs', { l: list(grown), few: { ...string, default: 'x' } });
    assert.equal((await api.put(name, { ...body, spec: { ...body.spec, versions: spec.versions } })).status, 200);
    await eventually('the new schema is in use', async () => {
      const created = await api.post<Stored>(`${collection('gs')}?dryRun=All`, { ...objectOf('gs', {}), metadata: { name: 'two' } });
      return created.body.spec['few'] === 'x';
    });
    const again = await api.post(`${collection('gs')}?dryRun=All`, { ...objectOf('gs', { l }), metadata: { name: 'two' } });
    assert.equal(again.status, 500);
    assert.match(again.text, /the defaults of its schema make the object more than 3145728 bytes larger/);
    const one = await api.get<Stored>(`${collection('gs')}/one`);
    assert.deepEqual([one.status, one.body.spec], [200, { l }]);
    assert.equal((await api.get(collection('gs'))).text.length < 100_000, true);
    assert.equal((await api.delete(`${collection('gs')}/one`)).status, 200);
  });

  for (const [what, items, item, count, status] of [
    ['defaults', { type: 'object', properties: { a: { ...string, default: text(10_000) } } }, {}, 1000, 500],
    ['alternatives', { type: 'integer', anyOf: Array.from({ length: 300 }, (_, i) => ({ maximum: i })) }, 299, 300, 201],
    ['patterns', { ...string, pattern: '^(a{0,100}){0,10}[g-z]?$' }, 'aaaaa', 200, 201],
    ['rules', { ...string, 'x-kubernetes-validations': [{ rule: '!(size(self) in [0])' }] }, 'a', 500, 201],
  ] as const)
    it(`are all that take long by their ${what}, however small they come`, async () => {
      const plural = `${what.slice(0, 3)}s`;
      await define(plural, { l: { ...list(items), maxItems: 1000 } });
      const { status: found } = await api.post(collection(plural), objectOf(plural, { l: Array.from({ length: count }, () => item) }));
      assert.equal(found, status);
      assert.equal(tasks[0], 'read');
    });

  it('are not the small ones', async () => {
    await define('smalls', { l: list(string) });
    assert.equal((await api.post(collection('smalls'), objectOf('smalls', { l: ['a'] }))).status, 201);
    assert.deepEqual(tasks, []);
  });
});
