import assert from 'node:assert/strict';
import type { Clock } from '../../../../api/base/clock.ts';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { configMaps } from '../../../../api/resources/core/v1/config-map.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { createMemoryStorage } from '../../../storage/memory/memory-storage.ts';
import { createLaggingStorage } from '../../../storage/testing/lagging-storage.ts';
import { type APICaller, createAPICaller } from '../../testing/api-caller.ts';
import { refusal, startCompleteServerOn } from '../../testing/complete-server.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../../testing/start-api-server.ts';

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
  readonly data: Readonly<Record<string, string>>;
}

const maps = '/api/v1/namespaces/default/configmaps';
/** Timers that fire a hundred times as early. */
const hasty: Clock = { ...systemClock, setTimer: (delayMs, fire, options) => systemClock.setTimer(delayMs / 100, fire, options) };

describe('writes while the watch cache is stale', () => {
  const lagging = createLaggingStorage(createMemoryStorage({ clock: systemClock }));
  let server: TestAPIServer;
  let api: APICaller;
  const create = (name: string) =>
    api.post<ConfigMap>(maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value: '1' } });
  const patch = (name: string, value: string, query = '') => api.patch<ConfigMap>(`${maps}/${name}${query}`, 'merge', { data: { value } });

  before(async () => {
    server = await startAPIServerInProcess({ storage: lagging.storage });
    api = createAPICaller(server.transport);
  });
  afterEach(() => lagging.release());
  after(async () => {
    await server.close();
    await lagging.storage.close();
  });

  /** Creates an object, waits until the cache has it, and changes it where the cache does not see the change. */
  const changedBehindTheCache = async (name: string, value: string) => {
    await create(name);
    await api.get(`${maps}/${name}`);
    lagging.hold();
    return (await patch(name, value)).body;
  };

  it('a patch to the state that the cache still has is written', async () => {
    const changed = await changedBehindTheCache('patched', '2');
    const { status, body } = await patch('patched', '1');
    assert.deepEqual([status, body.data['value']], [200, '1']);
    assert.ok(Number(body.metadata.resourceVersion) > Number(changed.metadata.resourceVersion));
    lagging.release();
    assert.equal((await api.get<ConfigMap>(`${maps}/patched`)).body.data['value'], '1');
  });
  it('a patch that changes nothing answers the state of the store', async () => {
    const changed = await changedBehindTheCache('same', '2');
    const { status, body } = await patch('same', '2');
    assert.deepEqual([status, body], [200, changed]);
  });
  it('a dry run starts from the state of the store', async () => {
    const changed = await changedBehindTheCache('dry', '2');
    const { body } = await api.patch<ConfigMap>(`${maps}/dry?dryRun=All`, 'merge', { data: { other: 'x' } });
    assert.deepEqual([body.data, body.metadata.resourceVersion], [{ value: '2', other: 'x' }, changed.metadata.resourceVersion]);
  });
  it('a patch of an object that is deleted by now is 404, with a dry run too', async () => {
    for (const query of ['', '?dryRun=All']) {
      const name = `gone${query.length}`;
      await changedBehindTheCache(name, '2');
      await api.delete(`${maps}/${name}`);
      assert.equal((await patch(name, '1', query)).status, 404);
      lagging.release();
    }
  });
});

describe('reads while the watch cache is stale', () => {
  const lagging = createLaggingStorage(createMemoryStorage({ clock: systemClock }));
  let server: TestAPIServer;
  let other: TestAPIServer;
  before(async () => {
    [server, other] = await Promise.all([
      startAPIServerInProcess({ storage: lagging.storage, clock: hasty }),
      startAPIServerInProcess({ storage: Object.getPrototypeOf(lagging.storage) as typeof lagging.storage }),
    ]);
  });
  after(async () => {
    lagging.release();
    await Promise.all([server.close(), other.close()]);
    await lagging.storage.close();
  });

  it('are answered by the store, as is the rest of a list that a server with a newer cache has begun', async () => {
    const [stale, fresh] = [createAPICaller(server.transport), createAPICaller(other.transport)];
    lagging.hold();
    const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value: '1' } });
    for (const name of ['a', 'b', 'c']) await fresh.post(maps, map(name));
    assert.equal((await stale.get<ConfigMap>(`${maps}/b`)).body.data['value'], '1');
    assert.equal((await stale.get(`${maps}/none`)).status, 404);
    interface List {
      readonly metadata: { readonly continue?: string };
      readonly items: readonly { readonly metadata: { readonly name: string } }[];
    }
    const names = ({ items }: List) => items.map(({ metadata }) => metadata.name);
    const { body: first } = await fresh.get<List>(`${maps}?limit=1`);
    const [rest, all, one] = await Promise.all([
      stale.get<List>(`${maps}?continue=${encodeURIComponent(first.metadata.continue ?? '')}`),
      stale.get<List>(maps),
      stale.get<List>(`${maps}?fieldSelector=metadata.name%3Dc`),
    ]);
    assert.deepEqual(
      [rest, all, one].map(({ body }) => names(body)),
      [['b', 'c'], ['a', 'b', 'c'], ['c']],
    );
  });
});

describe('a namespace that another server deletes', () => {
  it('takes nothing more, even where the cache does not know of it yet', async () => {
    const inner = createMemoryStorage({ clock: systemClock });
    const lagging = createLaggingStorage(inner);
    const [stale, fresh] = [
      await startCompleteServerOn({ storage: lagging.storage, clock: hasty }),
      await startCompleteServerOn({ storage: inner }),
    ];
    try {
      for (const name of ['going', 'gone', 'changed']) await fresh.admin(namespaces).create({ metadata: { name } });
      for (const name of ['going', 'gone', 'changed']) await stale.admin(namespaces).get({ namespace: '', name });
      lagging.hold();
      for (const name of ['going', 'gone']) await fresh.admin(namespaces).delete({ namespace: '', name });
      await fresh.admin(namespaces).updateSubresource({ namespace: '', name: 'gone' }, 'finalize', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'gone' },
        spec: { finalizers: [] },
      });
      await fresh
        .admin(namespaces)
        .patch({ namespace: '', name: 'changed' }, { type: 'merge', body: { metadata: { labels: { a: 'b' } } } });
      const create = (namespace: string) => stale.admin(configMaps).create({ metadata: { namespace, name: 'late' } });
      assert.equal(
        await refusal(create('going')),
        'configmaps "late" is forbidden: unable to create new content in namespace going because it is being terminated',
      );
      assert.equal(await refusal(create('gone')), 'namespaces "gone" not found');
      await create('changed');
    } finally {
      lagging.release();
      await Promise.all([stale.close(), fresh.close()]);
      await inner.close();
    }
  });
});
