import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import { StorageError, type Storage } from '../../storage/storage.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess } from '../testing/start-api-server.ts';

describe('a full disk', () => {
  it('is told to users by its name, and that they may try again', async () => {
    let isFull = false;
    const inner = createMemoryStorage({ clock: systemClock });
    const storage: Storage = {
      ...inner,
      commit: (transaction) =>
        isFull
          ? Promise.reject(new StorageError('no-space', 'no space left on the disk of the store (3 MiB free)'))
          : inner.commit(transaction),
    };
    const server = await startAPIServerInProcess({ storage });
    const api = createAPICaller(server.transport);
    isFull = true;
    const failure = await api.failure(api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' } }));
    assert.deepEqual(
      [failure.code, failure.reason, failure.message, failure.details?.retryAfterSeconds],
      [
        500,
        'ServerTimeout',
        'The write operation against configmaps could not be completed at this time, please try again. (no space left on the disk of the store (3 MiB free))',
        5,
      ],
    );
    assert.equal((await api.get('/api/v1/namespaces')).status, 200);
    isFull = false;
    assert.equal((await api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' } })).status, 201);
    await server.close();
  });
});
