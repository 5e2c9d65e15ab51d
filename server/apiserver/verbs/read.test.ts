import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { describeOnEachStore } from '../testing/test-stores.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface Stored {
  metadata: Record<string, unknown> & { name: string; resourceVersion: string };
}
interface List {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: Stored[];
}
interface Table {
  kind: string;
  metadata: Record<string, unknown>;
  columnDefinitions: { name: string }[];
  rows: { cells: unknown[]; object: (Stored & { kind: string; data?: unknown }) | null }[];
}

const maps = '/api/v1/namespaces/default/configmaps';
const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const named = (name: string, labels: Record<string, string> = {}, namespace = 'default') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
  data: { key: 'value' },
});
const names = ({ items }: Pick<List, 'items'>) => items.map(({ metadata }) => metadata.name);

describeOnEachStore('reading through the API', (store) => {
  let server: TestAPIServer;
  let api: APICaller;
  before(async () => {
    server = await startAPIServerInProcess(store());
    api = createAPICaller(server.transport);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await api.post(maps, named(name, { parity: 'bd'.includes(name) ? 'even' : 'odd' }));
    await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
    await api.post('/api/v1/namespaces/other/configmaps', named('a', {}, 'other'));
    await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default2' } });
    await api.post('/api/v1/namespaces/default2/configmaps', named('z', {}, 'default2'));
  });
  after(() => server.close());

  describe('list', () => {
    it('gives what is in a namespace, in order, and nothing of its neighbours', async () => {
      const { body, status } = await api.get<List>(maps);
      assert.deepEqual([status, body.kind, body.apiVersion], [200, 'ConfigMapList', 'v1']);
      assert.deepEqual(names(body), ['a', 'b', 'c', 'd', 'e']);
      assert.match(body.metadata.resourceVersion, /^\d+$/);
    });
    it('gives all namespaces', async () => {
      const { body } = await api.get<List>('/api/v1/configmaps?fieldSelector=metadata.name%3Da');
      assert.deepEqual(
        body.items.map(({ metadata }) => metadata['namespace']),
        ['default', 'other'],
      );
    });
    it('gives an empty list, never null', async () =>
      assert.deepEqual((await api.get<List>('/api/v1/namespaces/nowhere/pods')).body.items, []));

    const selections: [string, string[]][] = [
      ['labelSelector=parity%3Deven', ['b', 'd']],
      ['labelSelector=parity!%3Deven', ['a', 'c', 'e']],
      ['labelSelector=parity+in+(even,other)', ['b', 'd']],
      ['labelSelector=!parity', []],
      ['fieldSelector=metadata.name%3Dc', ['c']],
      ['fieldSelector=metadata.name!%3Dc', ['a', 'b', 'd', 'e']],
      ['fieldSelector=metadata.name%3Dc&labelSelector=parity%3Deven', []],
      ['fieldSelector=metadata.namespace%3Dother', []],
    ];
    for (const [query, expected] of selections) {
      it(`selects by ${query}`, async () => assert.deepEqual(names((await api.get<List>(`${maps}?${query}`)).body), expected));
    }
    const failures: [string, number, string][] = [
      ['labelSelector=a+b', 400, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
      ['fieldSelector=data.key%3Da', 400, '"data.key" is not a known field selector: only "metadata.name", "metadata.namespace"'],
      ['continue=x', 400, 'invalid continue token: continue key is not valid: illegal base64 data at input byte 0'],
      ['continue=e30', 400, 'invalid continue token: continue key is not valid: server does not recognize this encoded version '],
      ['labelSelector=a+in+(', 400, "unable to parse requirement: found '', expected: ',', ')' or identifier"],
      ['limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
      ['limit=', 400, 'strconv.ParseInt: parsing "": invalid syntax'],
      ['limit=99999999999999999999', 400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
      ['timeoutSeconds=', 400, 'strconv.ParseInt: parsing "": invalid syntax'],
      ['resourceVersion=x&limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
      ['resourceVersion=x', 500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
      [
        'resourceVersion=x&limit=1',
        400,
        'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
      ],
      ['resourceVersion=x&continue=x', 400, 'invalid continue token: continue key is not valid: illegal base64 data at input byte 0'],
      [
        'resourceVersionMatch=Exact',
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      ],
    ];
    for (const [query, code, message] of failures) {
      it(`refuses ${query}`, async () => {
        const failure = await api.failure(api.get(`${maps}?${query}`));
        assert.equal(failure.code, code);
        assert.ok((failure.message ?? '').startsWith(message), failure.message ?? '');
      });
    }
    it('says first what is wrong with the request, then that a list is not one object', async () => {
      const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
      assert.equal((await api.failure(api.get(`${maps}?continue=x`, { accept }))).code, 400);
      assert.equal((await api.failure(api.get(maps, { accept }))).code, 406);
    });
    it('gives null for the metadata of nothing, as upstream', async () => {
      const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
      const { body } = await api.get<List>('/api/v1/namespaces/nowhere/pods', { accept });
      assert.deepEqual([body.kind, body.items], ['PartialObjectMetadataList', null]);
    });
    it('refuses Tables that shall include what is not known', async () => {
      const message =
        "Unable to convert to Table as requested: includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', 'None', or empty";
      for (const target of [`${maps}?includeObject=x`, `${maps}/a?includeObject=x`, `${maps}?watch=1&includeObject=x`])
        assert.equal((await api.failure(api.get(target, { accept: tableType.split(',', 1).join() }))).message, message, target);
      assert.equal((await api.get(`${maps}?includeObject=`, { accept: tableType })).status, 200);
    });
    it('selects by the fields of the version that is asked for, whatever version is stored', async () => {
      await api.post('/apis/events.k8s.io/v1/namespaces/default/events', {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'event' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'example.com/controller',
        reportingInstance: 'i',
        action: 'Testing',
        reason: 'Tested',
        type: 'Normal',
        regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
      });
      const inNew = (selector: string) => api.get<List>(`/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=${selector}`);
      assert.deepEqual(names((await inNew('regarding.name%3Dp,reportingController%3Dexample.com/controller')).body), ['event']);
      assert.deepEqual(names((await inNew('regarding.name%3Dother')).body), []);
      const inCore = await api.get<List>('/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp');
      assert.deepEqual(names(inCore.body), ['event']);
    });
    it('names the fields that Pods cannot be selected by', async () => {
      const { message } = await api.failure(api.get('/api/v1/pods?fieldSelector=spec.foo%3Da'));
      assert.equal(message, 'field label not supported: spec.foo');
    });
  });

  describe('pages', () => {
    it('are of one revision, whatever is written between', async () => {
      const { body: first } = await api.get<List>(`${maps}?limit=2`);
      assert.deepEqual([names(first), first.metadata.remainingItemCount], [['a', 'b'], 3]);
      await api.post(maps, named('bb'));
      await api.delete(`${maps}/e`);
      const { body: second } = await api.get<List>(`${maps}?limit=2&continue=${first.metadata.continue}`);
      assert.deepEqual([names(second), second.metadata.remainingItemCount], [['c', 'd'], 1]);
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
      const { body: third } = await api.get<List>(`${maps}?limit=2&continue=${second.metadata.continue}`);
      assert.deepEqual([names(third), third.metadata.continue], [['e'], undefined]);
      await api.delete(`${maps}/bb`);
      await api.post(maps, named('e', { parity: 'odd' }));
    });
    it('do not count what remains under a selector', async () => {
      const { body } = await api.get<List>(`${maps}?limit=1&labelSelector=parity`);
      assert.deepEqual([names(body), body.metadata.remainingItemCount], [['a'], undefined]);
      assert.ok(body.metadata.continue);
    });
    it('have no continuation after the last', async () => {
      const { body } = await api.get<List>(`${maps}?limit=5`);
      assert.deepEqual([names(body).length, body.metadata.continue], [5, undefined]);
    });
  });

  describe('resourceVersion', () => {
    it('Exact reads the past', async () => {
      const { body: before } = await api.get<List>(maps);
      const { body: later } = await api.post<Stored>(maps, named('later'));
      const { body } = await api.get<List>(`${maps}?resourceVersion=${before.metadata.resourceVersion}&resourceVersionMatch=Exact`);
      assert.deepEqual(names(body), names(before));
      assert.equal(body.metadata.resourceVersion, before.metadata.resourceVersion);
      const { body: newer } = await api.get<List>(
        `${maps}?resourceVersion=${later.metadata.resourceVersion}&resourceVersionMatch=NotOlderThan`,
      );
      assert.ok(names(newer).includes('later'));
      assert.ok(names((await api.get<List>(`${maps}?resourceVersion=0`)).body).includes('a'));
      await api.delete(`${maps}/later`);
    });
    it('of the future is too large', async () => {
      const failure = await api.failure(api.get(`${maps}?resourceVersion=100000`));
      assert.deepEqual([failure.code, failure.reason], [504, 'Timeout']);
      assert.match(failure.message ?? '', /^Timeout: Too large resource version: 100000, current: \d+$/);
      const { causes, retryAfterSeconds } = failure.details ?? {};
      assert.deepEqual([causes, retryAfterSeconds], [[{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], 1]);
    });
  });

  describe('representations', () => {
    it('Table', async () => {
      const { body } = await api.get<Table>(`${maps}?labelSelector=parity%3Deven`, { accept: tableType });
      assert.deepEqual(
        body.columnDefinitions.map(({ name }) => name),
        ['Name', 'Data', 'Age'],
      );
      assert.deepEqual(
        body.rows.map(({ cells }) => cells.slice(0, 2)),
        [
          ['b', 1],
          ['d', 1],
        ],
      );
      assert.deepEqual([body.rows[0]?.object?.kind, body.rows[0]?.object?.data], ['PartialObjectMetadata', undefined]);
      const { body: one } = await api.get<Table>(`${maps}/b?includeObject=Object`, { accept: tableType });
      assert.deepEqual([one.rows.length, one.rows[0]?.object?.kind], [1, 'ConfigMap']);
      const { body: none } = await api.get<Table>(`${maps}/b?includeObject=None`, { accept: tableType });
      assert.equal(none.rows[0]?.object, null);
    });
    it('PartialObjectMetadata', async () => {
      const as = (kind: string) => ({ accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` });
      const { body } = await api.get<Record<string, unknown>>(`${maps}/a`, as('PartialObjectMetadata'));
      assert.deepEqual([body['kind'], body['data']], ['PartialObjectMetadata', undefined]);
      const { body: list } = await api.get<List>(maps, as('PartialObjectMetadataList'));
      assert.deepEqual([list.kind, names(list)], ['PartialObjectMetadataList', ['a', 'b', 'c', 'd', 'e']]);
    });
    it('YAML and indented JSON', async () => {
      const yaml = await api.get(`${maps}/a`, { accept: 'application/yaml' });
      assert.match(yaml.text, /^apiVersion: v1\n/);
      assert.equal(yaml.headers['content-type'], 'application/yaml');
      assert.match((await api.get(`${maps}/a?pretty=true`)).text, /^\{\n {2}"kind": "ConfigMap",\n/);
      assert.match((await api.get(maps, { 'user-agent': 'curl/8' })).text, /^\{\n {2}"kind": "ConfigMapList",\n/);
    });
    it('nothing else', async () => {
      const failure = await api.failure(api.get(maps, { accept: 'text/html' }));
      assert.deepEqual([failure.code, failure.reason], [406, 'NotAcceptable']);
    });
  });

  describe('names that are none', () => {
    for (const name of ['..', '%2e%2e', '%2e%2e%2fsecrets', 'a%2fb', '%00']) {
      it(`${name} finds nothing`, async () => {
        const { status } = await api.get(`${maps}/${name}`);
        assert.ok(status === 400 || status === 404, String(status));
      });
    }
  });
});
