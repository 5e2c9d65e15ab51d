import assert from 'node:assert/strict';
import type { Storage, StorageEvent } from '../storage.ts';
import { prefixEnd } from '../storage.ts';
import { bytes, put, readable } from './storage-assertions.ts';
import type { StorageUnderTest } from './storage-under-test.ts';

/** Follows `prefix` until `enough` events were seen. Asserts that revisions never go back within or across batches. */
export async function collect(storage: Storage, prefix: string, afterRevision: number, enough: number): Promise<StorageEvent[]> {
  const abort = new AbortController();
  const seen: StorageEvent[] = [];
  let upTo = afterRevision;
  for await (const batch of storage.watch({ start: prefix, end: prefixEnd(prefix), afterRevision, signal: abort.signal })) {
    for (const event of batch.events) {
      assert.ok(event.revision >= (seen.at(-1)?.revision ?? 0), 'events come in order');
      assert.ok(event.revision > upTo, `revision ${event.revision} came after progress to ${upTo}`);
      assert.ok(event.revision <= batch.revision, 'a batch holds whole revisions');
      seen.push(event);
    }
    assert.ok(batch.revision >= upTo, 'progress never goes back');
    upTo = batch.revision;
    if (seen.length >= enough) abort.abort();
  }
  return seen;
}

export function describeWatch(subject: () => StorageUnderTest, newPrefix: () => string): void {
  it('replays the past with what was there before', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const start = await storage.currentRevision();
    await put(storage, `${prefix}a`, 'one');
    await put(storage, `${prefix}a`, 'two');
    await put(storage, `/registry/other/${prefix.length}`, 'elsewhere');
    await storage.commit({ conditions: [], operations: [{ type: 'delete', key: `${prefix}a` }] });
    await put(storage, `${prefix}a`, 'again');
    const events = await collect(storage, prefix, start, 4);
    assert.deepEqual(
      events.map(({ type, revision, entry, previous }) => [type, revision - start, readable(entry)?.value, readable(previous)?.value]),
      [
        ['put', 1, 'one', undefined],
        ['put', 2, 'two', 'one'],
        ['delete', 4, undefined, 'two'],
        ['put', 5, 'again', undefined],
      ],
    );
    assert.equal(events[3]?.entry?.createRevision, start + 5);
    const later = await collect(storage, prefix, start + 2, 2);
    assert.deepEqual(
      later.map((event) => event.revision - start),
      [4, 5],
    );
  });

  it('gives all changes of a revision in one batch, in the order of the transaction', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const afterRevision = await storage.currentRevision();
    const keys = ['c', 'a', 'b'].map((name) => `${prefix}${name}`);
    await storage.commit({ conditions: [], operations: keys.map((key) => ({ type: 'put', key, value: bytes(key) })) });
    const abort = new AbortController();
    for await (const { events } of storage.watch({ start: prefix, end: prefixEnd(prefix), afterRevision, signal: abort.signal })) {
      if (events.length === 0) continue;
      assert.deepEqual(
        events.map((event) => event.key),
        keys,
      );
      abort.abort();
    }
  });

  it('misses and repeats nothing under concurrent writes, from wherever it starts', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const start = await storage.currentRevision();
    const total = 1000;
    const revisions: number[] = [];
    const writer = async (name: number) => {
      for (let write = 0; write < total / 10; write++) revisions.push(await put(storage, `${prefix}${name}`, String(write)));
    };
    const early = collect(storage, prefix, start, total);
    const writing = Promise.all(Array.from({ length: 10 }, (_, name) => writer(name)));
    while (revisions.length < total / 4) await put(storage, '/registry/elsewhere/x', 'x');
    const from = revisions[Math.floor(revisions.length / 2)] ?? start;
    const middle = collect(storage, prefix, from, 1);
    await writing;
    revisions.sort((a, b) => a - b);
    assert.deepEqual(
      (await early).map((event) => event.revision),
      revisions,
    );
    const expected = revisions.filter((revision) => revision > from);
    assert.deepEqual(
      (await collect(storage, prefix, from, expected.length)).map((event) => event.revision),
      expected,
    );
    const beginning = await middle;
    assert.deepEqual(
      beginning.map((event) => event.revision),
      expected.slice(0, beginning.length),
    );
  });

  it('waits for what is still to come', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const future = (await storage.currentRevision()) + 2;
    const events = collect(storage, prefix, future, 1);
    for (const name of ['a', 'b', 'c']) await put(storage, `${prefix}${name}`, name);
    assert.deepEqual(
      (await events).map((event) => event.key),
      [`${prefix}c`],
    );
  });

  it('ends when its signal is aborted', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const abort = new AbortController();
    const afterRevision = await put(storage, `${prefix}a`, 'x');
    const watch = storage.watch({ start: prefix, end: prefixEnd(prefix), afterRevision, signal: abort.signal });
    const ended = (async () => {
      for await (const { events } of watch) assert.deepEqual(events, []);
    })();
    abort.abort();
    await ended;
    const already = storage.watch({ start: prefix, end: prefixEnd(prefix), afterRevision: 1, signal: AbortSignal.abort() });
    for await (const _ of already) assert.fail('an aborted watch yields nothing');
  });

  it('keeps everything for a reader that is slower than the writers', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const start = await storage.currentRevision();
    const signal = new AbortController().signal;
    const watch = storage.watch({ start: prefix, end: prefixEnd(prefix), afterRevision: start, signal })[Symbol.asyncIterator]();
    const seen: number[] = [];
    while (seen.length < 400) {
      if (seen.length === 0) await Promise.all(Array.from({ length: 400 }, (_, name) => put(storage, `${prefix}${name}`, 'x')));
      const batch = await watch.next();
      if (!batch.done) seen.push(...batch.value.events.map((event) => event.revision));
      await storage.currentRevision();
    }
    await watch.return?.();
    assert.deepEqual(
      seen,
      Array.from({ length: 400 }, (_, at) => start + 1 + at),
    );
  });
}
