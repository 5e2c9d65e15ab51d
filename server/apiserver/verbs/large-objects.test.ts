import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

interface Stored {
  metadata: { managedFields?: readonly unknown[]; labels?: Record<string, string> };
}

const pods = '/api/v1/namespaces/default/pods';
const pod = (name: string, container: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i', ...container }] },
});
const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
/** Its managedFields are as large as itself: both together are more than a store takes. */
const manyKeys = Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`${'k'.repeat(54)}-${10_000 + index}`, 'v']));

describe('objects that are too large for the store', () => {
  let server: TestAPIServer;
  let api: APICaller;
  before(async () => {
    server = await startAPIServerInProcess();
    api = createAPICaller(server.transport);
  });
  after(() => server.close());

  for (const [size, message] of [
    [1_600_000, /^etcdserver: request is too large$/],
    [2_200_000, /^rpc error: code = ResourceExhausted desc = trying to send message larger than max \(22\d{5} vs\. 2097152\)$/],
  ] as const) {
    it(`are refused as etcd refuses them: ${size} bytes`, async () => {
      const { status, body } = await api.post<{ message: string; reason?: string }>(pods, pod('large', { command: ['x'.repeat(size)] }));
      assert.deepEqual([status, body.reason], [500, undefined]);
      assert.match(body.message, message);
      assert.equal((await api.get(`${pods}/large`)).status, 404);
    });
  }

  it('lose their managedFields where they fit without', async () => {
    const created = await api.post<Stored>(configMaps, configMap('owned', manyKeys));
    // Compared as booleans: the difference of objects of this size is more than a failing test could print.
    assert.deepEqual([created.status, created.body.metadata.managedFields === undefined], [201, true]);
    assert.ok(isDeepStrictEqual((await api.get<Stored>(`${configMaps}/owned`)).body, created.body));
  });

  it('are refused where an apply must know who owns what', async () => {
    const path = `${configMaps}/applied?fieldManager=me`;
    await api.patch(path, 'apply', configMap('applied', {}));
    const { status, body } = await api.patch<{ message: string }>(path, 'apply', configMap('applied', manyKeys));
    assert.deepEqual([status, body.message], [500, 'etcdserver: request is too large']);
  });
});
