import assert from 'node:assert/strict';
import { type APICaller, createAPICaller, type WatchCall } from '../testing/api-caller.ts';
import { describeOnEachStore } from '../testing/test-stores.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface Stored {
  metadata: { name: string; resourceVersion: string; labels?: Record<string, string> };
  data?: Record<string, string>;
}

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const named = (name: string, labels: Record<string, string> = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } });

describeOnEachStore('watching through the API', (store) => {
  let server: TestAPIServer;
  let api: APICaller;
  let count = 0;
  /** A namespace of its own for each test. */
  let maps: string;
  const open: WatchCall[] = [];
  const watch = async (query: string, headers?: Record<string, string>) => {
    const call = await api.watch(`${maps}?watch=true${query === '' ? '' : `&${query}`}`, headers);
    open.push(call);
    return call;
  };
  const seen = async (call: WatchCall, events: number) => {
    const list: string[] = [];
    for (let index = 0; index < events; index++) {
      const { type, object } = await call.next();
      list.push(`${type} ${(object as unknown as Stored).metadata.name ?? ''}`);
    }
    return list;
  };
  const create = async (name: string, labels?: Record<string, string>) => (await api.post<Stored>(maps, named(name, labels))).body;

  before(async () => {
    server = await startAPIServerInProcess(store());
    api = createAPICaller(server.transport);
  });
  after(() => server.close());
  beforeEach(async () => {
    const name = `watched-${count++}`;
    await api.post('/api/v1/namespaces', namespace(name));
    maps = `/api/v1/namespaces/${name}/configmaps`;
  });
  afterEach(async () => {
    for (const call of open.splice(0)) await call.stop();
  });

  it('sends what is there and then what happens, where no resourceVersion is given', async () => {
    await create('a');
    const call = await watch('');
    assert.deepEqual([call.response.status, call.response.headers['content-type']], [200, 'application/json']);
    assert.deepEqual(await seen(call, 1), ['ADDED a']);
    const b = await create('b');
    await api.put(`${maps}/b`, { ...b, data: { x: 'y' } });
    await api.delete(`${maps}/b`);
    assert.deepEqual(await seen(call, 3), ['ADDED b', 'MODIFIED b', 'DELETED b']);
  });
  it('sends what happened after a resourceVersion, each event once and in order', async () => {
    const a = await create('a');
    await create('b');
    await api.delete(`${maps}/a`);
    const call = await watch(`resourceVersion=${a.metadata.resourceVersion}`);
    assert.deepEqual(await seen(call, 2), ['ADDED b', 'DELETED a']);
  });
  it('gives the object of a deletion the revision of the deletion', async () => {
    const a = await create('a');
    const call = await watch(`resourceVersion=${a.metadata.resourceVersion}`);
    await api.delete(`${maps}/a`);
    const { object } = await call.next();
    const { body } = await api.get<{ metadata: { resourceVersion: string } }>(maps);
    assert.equal((object as unknown as Stored).metadata.resourceVersion, body.metadata.resourceVersion);
  });
  it('sends an object once that came after it was opened and before its client read', async () => {
    const call = await watch('');
    await create('a');
    await api.patch(`${maps}/a`, 'merge', { data: { x: 'y' } });
    assert.deepEqual(await seen(call, 2), ['ADDED a', 'MODIFIED a']);
  });
  it('shows what comes into a selector as added and what leaves it as deleted', async () => {
    const call = await watch('labelSelector=in%3Dyes');
    const label = (value: string | null) => api.patch(`${maps}/a`, 'merge', { metadata: { labels: { in: value } } });
    await create('a');
    await label('yes');
    await api.patch(`${maps}/a`, 'merge', { data: { x: 'y' } });
    await label('no');
    assert.deepEqual(await seen(call, 3), ['ADDED a', 'MODIFIED a', 'DELETED a']);
  });
  it('watches one object by field selector or by the older path', async () => {
    await create('a');
    await create('ab');
    const bySelector = await watch('fieldSelector=metadata.name%3Da');
    const byPath = await api.watch(maps.replace('/api/v1/', '/api/v1/watch/') + '/a');
    open.push(byPath);
    await api.patch(`${maps}/ab`, 'merge', { data: { x: 'y' } });
    await api.patch(`${maps}/a`, 'merge', { data: { x: 'y' } });
    for (const call of [bySelector, byPath]) assert.deepEqual(await seen(call, 2), ['ADDED a', 'MODIFIED a']);
  });
  it('marks the end of the initial events (KEP-3157)', async () => {
    await create('a');
    const call = await watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true');
    assert.deepEqual(await seen(call, 1), ['ADDED a']);
    const { type, object } = await call.next();
    assert.deepEqual([type, object['kind']], ['BOOKMARK', 'ConfigMap']);
    const { 'kubernetes.io/initial-events-list-blueprint': blueprint = '', ...others } = object.metadata.annotations ?? {};
    assert.deepEqual(others, { 'k8s.io/initial-events-end': 'true' });
    assert.equal(Buffer.from(blueprint, 'base64').toString(), '{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":null}\n');
    await create('b');
    assert.deepEqual(await seen(call, 1), ['ADDED b']);
  });
  it('ends with a bookmark when its time is over', async () => {
    const a = await create('a');
    const call = await watch(`timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=${a.metadata.resourceVersion}`);
    const { type, object } = await call.next();
    assert.equal(type, 'BOOKMARK');
    assert.ok(Number(object.metadata['resourceVersion']) >= Number(a.metadata.resourceVersion));
    assert.ok(await call.ended());
  });
  describe('the past', () => {
    let small: TestAPIServer;
    let caller: APICaller;
    const path = '/api/v1/namespaces/default/configmaps';
    before(async () => {
      small = await startAPIServerInProcess({ logLimits: { entries: 2, heldBytes: 1_000_000 } });
      caller = createAPICaller(small.transport);
    });
    after(() => small.close());

    it('is read from the store where memory does not reach back to it', async () => {
      const { body: start } = await caller.post<Stored>(path, named('start'));
      for (let index = 0; index < 10; index++) await caller.patch(`${path}/start`, 'merge', { data: { index: String(index) } });
      const call = await caller.watch(`${path}?watch=true&resourceVersion=${start.metadata.resourceVersion}`);
      const values: unknown[] = [];
      for (let index = 0; index < 10; index++) values.push(((await call.next()).object as unknown as Stored).data?.['index']);
      await call.stop();
      assert.deepEqual(
        values,
        Array.from({ length: 10 }, (_, index) => String(index)),
      );
      const { body: list } = await caller.get<{ items: Stored[] }>(
        `${path}?resourceVersionMatch=Exact&resourceVersion=${start.metadata.resourceVersion}&fieldSelector=metadata.name%3Dstart`,
      );
      assert.deepEqual(
        list.items.map(({ data, metadata }) => [data, metadata.resourceVersion]),
        [[undefined, start.metadata.resourceVersion]],
      );
    });
    it('that nothing remembers is too old', async () => {
      const pages = `/api/v1/configmaps?limit=1`;
      await caller.post(path, named('other'));
      const { body: page } = await caller.get<{ metadata: { continue: string; resourceVersion: string } }>(pages);
      for (let index = 0; index < 10; index++) await caller.patch(`${path}/other`, 'merge', { data: { index: String(index) } });
      await small.storage.compact(await small.storage.currentRevision());

      const call = await caller.watch(`${path}?watch=true&resourceVersion=${page.metadata.resourceVersion}`);
      const { type, object } = await call.next();
      const status = object as unknown as { code: number; reason: string; message: string };
      assert.deepEqual([type, status.code, status.reason], ['ERROR', 410, 'Expired']);
      assert.match(status.message, /^too old resource version: \d+ \(\d+\)$/);
      assert.ok(await call.ended());

      const exact = await caller.failure(caller.get(`${path}?resourceVersionMatch=Exact&resourceVersion=${page.metadata.resourceVersion}`));
      assert.deepEqual(
        [exact.code, exact.reason, exact.message],
        [410, 'Expired', 'The resourceVersion for the provided list is too old.'],
      );

      const { body: expired } = await caller.get<{ code: number; reason: string; metadata: { continue: string } }>(
        `${pages}&continue=${page.metadata.continue}`,
      );
      assert.deepEqual([expired.code, expired.reason], [410, 'Expired']);
      const { status: code, body: rest } = await caller.get<{ items: Stored[] }>(`${pages}&continue=${expired.metadata.continue}`);
      assert.deepEqual([code, rest.items.length], [200, 1]);
    });
  });

  it('streams no list as a Table', async () => {
    await create('a');
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const refused = await api.get<{ code: number }>(`${maps}?watch=true&${query}`, { accept });
    assert.equal(refused.status, 406);
    const call = await watch(query, { accept: `${accept},application/json` });
    assert.deepEqual(await seen(call, 1), ['ADDED a']);
  });
  it('names the columns of a Table once', async () => {
    await create('a');
    await create('b');
    const call = await watch('', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    const tables = [(await call.next()).object, (await call.next()).object] as unknown as {
      columnDefinitions: unknown[] | null;
      metadata: { resourceVersion?: string };
      rows: { cells: unknown[]; object: { metadata: { resourceVersion?: string } } }[];
    }[];
    for (const { metadata, rows } of tables) assert.equal(metadata.resourceVersion, rows[0]?.object.metadata.resourceVersion);
    assert.deepEqual(
      tables.map(({ columnDefinitions, rows }) => [columnDefinitions?.length, rows[0]?.cells[0]]),
      [
        [3, 'a'],
        [0, 'b'],
      ],
    );
  });
  it('marks the end of what was there for who asks for bookmarks, also where nothing is said of initial events', async () => {
    await create('a');
    const call = await watch('allowWatchBookmarks=true');
    assert.equal((await call.next()).type, 'ADDED');
    const { type, object } = await call.next();
    assert.equal(type, 'BOOKMARK');
    assert.equal((object.metadata['annotations'] as unknown as Record<string, string>)['k8s.io/initial-events-end'], 'true');
  });
  it('sends metadata only where that is asked for', async () => {
    await create('a');
    const call = await watch('', { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' });
    const { object } = await call.next();
    assert.deepEqual([object['kind'], object['data']], ['PartialObjectMetadata', undefined]);
  });
  for (const [query, message] of [
    ['sendInitialEvents=true', 'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    [
      'resourceVersionMatch=Exact&resourceVersion=1',
      '[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
    ['continue=abc', 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided'],
  ] as const) {
    it(`refuses ${query}`, async () => {
      const failure = await api.failure(api.get(`${maps}?watch=true&${query}`));
      assert.deepEqual([failure.code, failure.message], [422, `ListOptions.meta.k8s.io "" is invalid: ${message}`]);
    });
  }
  it('list and replayed watch agree, whatever is written meanwhile', async () => {
    const { body: start } = await api.get<{ metadata: { resourceVersion: string } }>(maps);
    const call = await watch(`resourceVersion=${start.metadata.resourceVersion}`);
    const writes = Array.from({ length: 30 }, async (_, index) => {
      const name = `n${index % 7}`;
      if (index % 5 === 4) return api.delete(`${maps}/${name}`);
      const { status } = await api.post(maps, named(name));
      return status === 409 ? api.patch(`${maps}/${name}`, 'merge', { data: { [`k${index}`]: 'v' } }) : undefined;
    });
    await Promise.all(writes);
    const { body: end } = await api.get<{ metadata: { resourceVersion: string }; items: Stored[] }>(maps);
    const last = await create('last');
    const state = new Map<string, Stored>();
    for (;;) {
      const { type, object } = await call.next();
      const stored = object as unknown as Stored;
      if (stored.metadata.resourceVersion === last.metadata.resourceVersion) break;
      if (type === 'DELETED') state.delete(stored.metadata.name);
      else state.set(stored.metadata.name, stored);
    }
    const replayed = [...state.values()].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    assert.deepEqual(
      replayed,
      end.items.map((item) => ({ kind: 'ConfigMap', apiVersion: 'v1', ...item })),
    );
  });
});
