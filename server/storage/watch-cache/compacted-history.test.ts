import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import type { Storage, WatchBatch } from '../storage.ts';
import { createAPICaller } from '../../apiserver/testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../../apiserver/testing/start-api-server.ts';

/** A store that tells what happened but not what was there before, as etcd does once that has been compacted. */
function forgetting(inner: Storage): Storage {
  async function* watch(options: Parameters<Storage['watch']>[0]): AsyncGenerator<WatchBatch> {
    for await (const batch of inner.watch(options))
      yield {
        ...batch,
        events: batch.events.map(({ type, key, revision, entry }) => ({ type, key, revision, ...(entry ? { entry } : {}) })),
      };
  }
  return Object.assign(Object.create(inner) as Storage, { watch });
}

const maps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

describe('a watch from a revision that the cache no longer holds', () => {
  let server: TestAPIServer;
  before(async () => {
    const storage = forgetting(createMemoryStorage({ clock: systemClock }));
    server = await startAPIServerInProcess({ storage, logLimits: { entries: 1, ageMs: 0, heldBytes: 0 } });
  });
  after(() => server.close());

  for (const change of ['deleted', 'modified'])
    it(`ends with 410 where the state before an object was ${change} has been compacted`, async () => {
      const api = createAPICaller(server.transport);
      const { body } = await api.post<{ metadata: { resourceVersion: string } }>(maps, configMap(change));
      if (change === 'deleted') await api.delete(`${maps}/${change}`);
      else await api.patch(`${maps}/${change}`, 'merge', { data: { a: '1' } });
      // The events that the cache keeps in any case are later changes.
      for (let number = 0; number < 210; number++) await api.post(maps, configMap(`${change}-${number}`));
      const watch = await api.watch(`${maps}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
      const { type, object } = (await watch.next()) as unknown as { type: string; object: { code: number; reason: string } };
      assert.deepEqual([type, object.code, object.reason], ['ERROR', 410, 'Expired']);
      await watch.stop();
    });
});
