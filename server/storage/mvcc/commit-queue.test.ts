import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import { StorageError } from '../storage.ts';
import type { RecordStore } from './version.ts';
import { VersionIndex } from './version-index.ts';
import { createVersionedStorage } from './versioned-storage.ts';

const put = (key: string) => ({
  conditions: [{ key, modRevision: 0 }],
  operations: [{ type: 'put' as const, key, value: Uint8Array.of(1) }],
});

describe('a disk that fails', () => {
  const open = (failure: Error) => {
    const records: RecordStore = {
      append: () => Promise.reject(failure),
      read: () => assert.fail('nothing is stored'),
      async compact() {},
      async probe() {},
      async close() {},
    };
    return createVersionedStorage({ records, index: new VersionIndex(), revision: 1, clock: systemClock });
  };
  const thrown = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => assert.fail('it did not fail'),
      (error: unknown) => error,
    );

  it('leaves it open whether the write was done, refuses what follows, and says that the store is to be opened anew', async () => {
    const storage = open(new Error('input/output error'));
    const [first, second] = [await thrown(storage.commit(put('a'))), await thrown(storage.commit(put('b')))];
    assert.ok(first instanceof StorageError && second instanceof StorageError && storage.failed);
    assert.deepEqual([first.reason, first.isOutcomeUnknown], ['unavailable', true]);
    assert.deepEqual([second.reason, second.isOutcomeUnknown], ['unavailable', false]);
    assert.equal((await storage.failed).message, first.message);
    assert.equal((await storage.get('a')).entry, undefined);
  });
  it('that is full has written nothing, and can be used again', async () => {
    const storage = open(new StorageError('no-space', 'no space left'));
    let hasFailed = false;
    void storage.failed?.then(() => (hasFailed = true));
    const error = await thrown(storage.commit(put('a')));
    assert.ok(error instanceof StorageError);
    assert.deepEqual([error.reason, error.isOutcomeUnknown], ['no-space', false]);
    await storage.checkHealth(new AbortController().signal);
    assert.equal(hasFailed, false);
  });
});
