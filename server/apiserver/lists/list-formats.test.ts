import assert from 'node:assert/strict';
import { parseYAML } from '../../../api/serialization/yaml.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface Item {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata: { readonly name: string };
  readonly data?: Record<string, string>;
}

interface List {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Item[];
}

interface Table {
  readonly kind: string;
  readonly columnDefinitions: readonly { readonly name: string }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: Item | null }[];
}

const as = (kind: string, notation = 'json') => `application/${notation};as=${kind};v=v1;g=meta.k8s.io`;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `m${1000 + index}`);

describe('formats of lists', () => {
  let server: TestAPIServer;
  let api: APICaller;
  const count = 130;
  const maps = '/api/v1/namespaces/listed/configmaps';
  before(async () => {
    server = await startAPIServerInProcess();
    api = createAPICaller(server.transport);
    await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'listed' } });
    for (const name of numbers(count))
      await api.post(maps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name },
        data: { items: 'items: []\n', large: 'x'.repeat(3000) },
      });
  });
  after(() => server.close());

  const bodyKind = async (target: string, accept: string) => {
    const [path = '', query = ''] = target.split('?');
    const user = { name: 'admin', groups: ['system:masters'] };
    const { body } = await server.transport({
      method: 'GET',
      path,
      query,
      headers: { accept },
      signal: new AbortController().signal,
      user,
    });
    if (body.kind === 'stream') await body.chunks[Symbol.asyncIterator]().return?.();
    return body.kind;
  };

  for (const [target, notation] of [
    [maps, 'json'],
    [`${maps}?pretty=true`, 'json'],
    [maps, 'yaml'],
    [`${maps}?limit=3`, 'json'],
    [`${maps}?limit=3&pretty=true`, 'json'],
    [`${maps}?limit=3`, 'yaml'],
    [`${maps}?labelSelector=none`, 'yaml'],
  ] as const) {
    it(`say the kind of the list and not that of its items: ${target} in ${notation}`, async () => {
      const { text } = await api.get(target, { accept: `application/${notation}` });
      const list = (notation === 'yaml' ? parseYAML(text).value : JSON.parse(text)) as List;
      const expected = target.includes('none') ? 0 : target.includes('limit') ? 3 : count;
      assert.deepEqual([list.kind, list.apiVersion, list.items.length], ['ConfigMapList', 'v1', expected]);
      assert.ok(list.items.every(({ kind, apiVersion }) => kind === undefined && apiVersion === undefined));
      assert.deepEqual(
        list.items.map(({ metadata }) => metadata.name),
        numbers(expected),
      );
      assert.ok(list.items.every(({ data }) => data?.['items'] === 'items: []\n' && data['large']?.length === 3000));
      assert.ok(Number(list.metadata.resourceVersion) > 0);
      assert.equal(await bodyKind(target, `application/${notation}`), expected > 3 ? 'stream' : 'bytes');
    });
  }

  it('are the same for one page and for many', async () => {
    const { text } = await api.get(`${maps}?pretty=true`);
    assert.equal(text, JSON.stringify(JSON.parse(text), undefined, 2));
    const { text: yaml } = await api.get(maps, { accept: 'application/yaml' });
    assert.match(yaml, /^apiVersion: v1\nitems:\n- data:\n/);
    assert.match(yaml, /\nkind: ConfigMapList\nmetadata:\n {2}resourceVersion: "\d+"\n$/);
  });

  for (const notation of ['json', 'yaml'] as const) {
    it(`are Tables and metadata in ${notation}, whose items say their kind`, async () => {
      const read = async <T>(accept: string, query = '') => {
        const { text } = await api.get(`${maps}${query}`, { accept });
        return (notation === 'yaml' ? parseYAML(text).value : JSON.parse(text)) as T;
      };
      const table = await read<Table>(as('Table', notation));
      assert.deepEqual([table.kind, table.columnDefinitions.length, table.rows.length], ['Table', 3, count]);
      assert.deepEqual([table.rows[129]?.cells.slice(0, 2), table.rows[129]?.object?.kind], [['m1129', 2], 'PartialObjectMetadata']);
      const short = await read<Table>(as('Table', notation), '?limit=2&includeObject=Object');
      assert.deepEqual([short.rows.length, short.rows[0]?.object?.kind], [2, 'ConfigMap']);
      const metadata = await read<List>(as('PartialObjectMetadataList', notation));
      assert.deepEqual([metadata.kind, metadata.items.length], ['PartialObjectMetadataList', count]);
      assert.ok(metadata.items.every(({ kind, data }) => kind === 'PartialObjectMetadata' && data === undefined));
    });
  }
});
