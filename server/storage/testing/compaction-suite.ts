import assert from 'node:assert/strict';
import { prefixEnd } from '../storage.ts';
import { put, readable, rejectsWith } from './storage-assertions.ts';
import { collect } from './watch-suite.ts';
import type { StorageUnderTest } from './storage-under-test.ts';

export function describeCompaction(subject: () => StorageUnderTest, newPrefix: () => string): void {
  it('forgets what was superseded, and nothing else', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const range = (revision?: number) =>
      storage.range({ start: prefix, end: prefixEnd(prefix), ...(revision === undefined ? {} : { revision }) });
    const first = await put(storage, `${prefix}a`, 'first');
    await put(storage, `${prefix}kept`, 'kept');
    await put(storage, `${prefix}gone`, 'gone');
    await storage.commit({ conditions: [], operations: [{ type: 'delete', key: `${prefix}gone` }] });
    const compacted = await put(storage, `${prefix}a`, 'second');
    const last = await put(storage, `${prefix}a`, 'third');
    await storage.compact(compacted);
    const error = await rejectsWith('compacted', () => range(first));
    if (error.revision !== undefined) assert.equal(error.revision, compacted);
    await rejectsWith('compacted', () => storage.get(`${prefix}a`, { revision: first }));
    const values = async (revision?: number) => (await range(revision)).entries.map((entry) => readable(entry)?.value);
    assert.deepEqual(await values(compacted), ['second', 'kept']);
    assert.deepEqual(await values(last), ['third', 'kept']);
    assert.deepEqual(await values(), ['third', 'kept']);
    assert.equal((await range()).entries[1]?.createRevision, first + 1);
  });

  it('ends a watch that asks for what was compacted with the oldest revision there is', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const first = await put(storage, `${prefix}a`, '0');
    for (let write = 1; write <= 5; write++) await put(storage, `${prefix}a`, String(write));
    await storage.compact(first + 3);
    const error = await rejectsWith('compacted', () => collect(storage, prefix, first, 1));
    assert.equal(error.revision, first + 3);
    const events = await collect(storage, prefix, first + 3, 2);
    assert.deepEqual(
      events.map((event) => [event.revision - first, readable(event.previous)?.value]),
      [
        [4, '3'],
        [5, '4'],
      ],
    );
  });

  it('leaves a watch that keeps up alone', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const start = await put(storage, `${prefix}a`, '0');
    const events = collect(storage, prefix, start, 10);
    for (let write = 1; write <= 5; write++) await put(storage, `${prefix}a`, String(write));
    await collect(storage, prefix, start, 5);
    await storage.compact(start + 1);
    for (let write = 6; write <= 10; write++) await put(storage, `${prefix}a`, String(write));
    assert.equal((await events).length, 10);
  });

  it('may be asked to compact again, but not the future', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    await put(storage, `${prefix}a`, 'x');
    const revision = await put(storage, `${prefix}a`, 'y');
    await storage.compact(revision - 1);
    await storage.compact(revision - 1);
    await rejectsWith('future-revision', () => storage.compact(revision + 1000));
    assert.equal(readable((await storage.get(`${prefix}a`)).entry)?.value, 'y');
  });
}
