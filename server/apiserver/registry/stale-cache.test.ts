import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import { createLaggingStorage } from '../../storage/testing/lagging-storage.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
  readonly data: Readonly<Record<string, string>>;
}

const maps = '/api/v1/namespaces/default/configmaps';

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
