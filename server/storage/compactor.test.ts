import assert from 'node:assert/strict';
import { silentLogger } from '../../api/base/logger.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import type { CompactorDependencies } from './compactor.ts';
import { runCompactor } from './compactor.ts';
import { createMemoryStorage } from './memory/memory-storage.ts';
import type { Storage } from './storage.ts';
import { StorageError } from './storage.ts';
import { put, rejectsWith } from './testing/storage-assertions.ts';

const minutes = 60_000;

describe('compactor', () => {
  const running: { abort: AbortController; ended: Promise<void> }[] = [];
  const clock = createManualClock();
  const start = (options: Pick<CompactorDependencies, 'storage' | 'maxRevisions' | 'onCompacted'>) => {
    const abort = new AbortController();
    running.push({ abort, ended: runCompactor({ clock, logger: silentLogger, signal: abort.signal, ...options }) });
  };
  afterEach(async () => {
    for (const { abort, ended } of running.splice(0)) {
      abort.abort();
      await ended;
    }
    assert.equal(clock.pendingTimers(), 0);
  });

  it('keeps the last five minutes, at least', async () => {
    const storage = createMemoryStorage({ clock });
    const told: number[] = [];
    start({ storage, onCompacted: (revision) => told.push(revision) });
    const first = await put(storage, '/registry/a', '1');
    await clock.advance(5 * minutes);
    const second = await put(storage, '/registry/a', '2');
    await clock.advance(4 * minutes);
    assert.ok((await storage.get('/registry/a', { revision: first })).entry);
    await clock.advance(minutes);
    await storage.get('/registry/a', { revision: second });
    await rejectsWith('compacted', () => storage.get('/registry/a', { revision: first }));
    assert.deepEqual(told, [first + 1]);
    const { entry } = await storage.get('compact_rev_key');
    assert.equal(Buffer.from(entry?.value ?? []).toString(), String(first + 1));
  });

  it('takes turns with others, who see each other by the key', async () => {
    const storage = createMemoryStorage({ clock });
    const compacted: number[] = [];
    const counted = { ...storage, compact: (revision: number) => storage.compact(revision).then(() => void compacted.push(revision)) };
    start({ storage: counted });
    await clock.advance(2 * minutes);
    start({ storage: counted });
    for (let minute = 0; minute < 28; minute++) {
      await put(storage, '/registry/a', String(minute));
      await clock.advance(minutes);
    }
    assert.equal(compacted.length, 5, String(compacted));
    assert.deepEqual(
      compacted,
      compacted.toSorted((a, b) => a - b),
    );
  });

  it('compacts a full store, which cannot take a turn', async () => {
    const storage = createMemoryStorage({ clock });
    let isFull = false;
    const filling: Storage = {
      ...storage,
      commit: (transaction) => (isFull ? Promise.reject(new StorageError('no-space', 'full')) : storage.commit(transaction)),
    };
    start({ storage: filling });
    const first = await put(storage, '/registry/a', '1');
    await put(storage, '/registry/a', '2');
    await clock.advance(5 * minutes);
    isFull = true;
    await clock.advance(5 * minutes);
    await rejectsWith('compacted', () => storage.get('/registry/a', { revision: first }));
  });

  it('comes earlier when there are too many revisions', async () => {
    const storage = createMemoryStorage({ clock });
    start({ storage, maxRevisions: 100 });
    for (let write = 0; write < 500; write++) {
      await put(storage, '/registry/a', String(write));
      await clock.advance(100);
    }
    await rejectsWith('compacted', () => storage.get('/registry/a', { revision: 200 }));
    assert.ok((await storage.get('/registry/a', { revision: 400 })).entry);
  });
});
