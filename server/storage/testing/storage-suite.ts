import assert from 'node:assert/strict';
import type { Storage, StorageEvent, StoredEntry, Transaction } from '../storage.ts';
import { prefixEnd } from '../storage.ts';
import { describeCompaction } from './compaction-suite.ts';
import { bytes, put, readable, rejectsWith, succeeded } from './storage-assertions.ts';
import { describeWatch } from './watch-suite.ts';
import type { StorageUnderTest } from './storage-under-test.ts';

/** The tests that every Storage must pass, run against one implementation. Every test uses keys under its own `prefix`. */
export function describeStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`storage ${name}`, () => {
    let opened: StorageUnderTest | undefined;
    let tests = 0;
    const subject = () => opened ?? assert.fail('the store could not be opened');
    const newPrefix = () => `/registry/test-${++tests}/`;
    before(async () => {
      opened = await open();
    });
    after(() => opened?.dispose());

    describeCommits(subject, newPrefix);
    describeReads(subject, newPrefix);
    describeExpiry(subject, newPrefix);
    describeWatch(subject, newPrefix);
    describeCompaction(subject, newPrefix);
  });
}

type Subject = () => StorageUnderTest;

function describeCommits(subject: Subject, newPrefix: () => string): void {
  it('counts revisions from 1, one for each commit', async () => {
    const { storage } = subject();
    assert.equal(await storage.currentRevision(), 1);
    const key = `${newPrefix()}a`;
    assert.deepEqual(await put(storage, key, 'one'), 2);
    assert.deepEqual(await put(storage, key, 'two'), 3);
    assert.equal(await storage.currentRevision(), 3);
    assert.deepEqual(readable((await storage.get(key)).entry), { key, value: 'two', createRevision: 2, modRevision: 3 });
  });

  it('answers a conflict with the present state of every conditioned key', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const revision = await put(storage, `${prefix}a`, 'one');
    const result = await storage.commit({
      conditions: [
        { key: `${prefix}a`, modRevision: 0 },
        { key: `${prefix}b`, modRevision: 0 },
      ],
      operations: [{ type: 'put', key: `${prefix}b`, value: bytes('never') }],
    });
    assert.equal(result.succeeded, false);
    assert.deepEqual(result.succeeded ? [] : result.current.map(readable), [
      { key: `${prefix}a`, value: 'one', createRevision: revision, modRevision: revision },
      undefined,
    ]);
    assert.equal((await storage.get(`${prefix}b`)).entry, undefined);
    assert.equal(await storage.currentRevision(), revision);
  });

  it('lets exactly one of many writers with the same condition through', async () => {
    const { storage } = subject();
    const key = `${newPrefix()}contended`;
    const revision = await put(storage, key, 'start');
    const writers = Array.from({ length: 20 }, (_, writer) => storage.commit(conditionalPut(key, revision, `writer ${writer}`)));
    const results = await Promise.all(writers);
    const winners = results.flatMap((result, writer) => (result.succeeded ? [writer] : []));
    assert.equal(winners.length, 1);
    const { entry } = await storage.get(key);
    assert.equal(readable(entry)?.value, `writer ${winners[0]}`);
    for (const result of results) if (!result.succeeded) assert.deepEqual(result.current.map(readable), [readable(entry)]);
  });

  it('counts up without loss when every writer retries on conflict', async () => {
    const { storage } = subject();
    const key = `${newPrefix()}counter`;
    await put(storage, key, '0');
    const increment = async () => {
      for (;;) {
        const { entry } = await storage.get(key);
        const next = String(Number(readable(entry)?.value) + 1);
        if ((await storage.commit(conditionalPut(key, entry?.modRevision ?? 0, next))).succeeded) return;
      }
    };
    await Promise.all(Array.from({ length: 8 }, async () => Promise.all([increment(), increment(), increment()])));
    assert.equal(readable((await storage.get(key)).entry)?.value, '24');
  });

  it('changes several keys in one revision, or none of them', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    await put(storage, `${prefix}old`, 'x');
    const revision = succeeded(
      await storage.commit({
        conditions: [{ key: `${prefix}a`, modRevision: 0 }],
        operations: [
          { type: 'put', key: `${prefix}a`, value: bytes('a') },
          { type: 'delete', key: `${prefix}old` },
          { type: 'put', key: `${prefix}b`, value: bytes('b') },
        ],
      }),
    );
    const { entries } = await storage.range({ start: prefix, end: prefixEnd(prefix) });
    assert.deepEqual(
      entries.map((entry) => [entry.key, entry.createRevision, entry.modRevision]),
      [
        [`${prefix}a`, revision, revision],
        [`${prefix}b`, revision, revision],
      ],
    );
  });

  it('takes no revision for the deletion of nothing', async () => {
    const { storage } = subject();
    const before = await storage.currentRevision();
    const result = await storage.commit({ conditions: [], operations: [{ type: 'delete', key: `${newPrefix()}nothing` }] });
    assert.deepEqual(result, { succeeded: true, revision: before });
  });

  it('starts a new life of a key after its deletion', async () => {
    const { storage } = subject();
    const key = `${newPrefix()}a`;
    await put(storage, key, 'first');
    const deleted = succeeded(await storage.commit({ conditions: [], operations: [{ type: 'delete', key }] }));
    assert.equal((await storage.get(key)).entry, undefined);
    const created = await put(storage, key, 'second', 0);
    assert.equal(created, deleted + 1);
    assert.deepEqual(readable((await storage.get(key)).entry), { key, value: 'second', createRevision: created, modRevision: created });
  });

  it('refuses what etcd would not take', async () => {
    const { storage } = subject();
    const key = `${newPrefix()}a`;
    const write = (size: number) =>
      storage.commit({ conditions: [{ key, modRevision: 0 }], operations: [{ type: 'put', key, value: new Uint8Array(size) }] });
    const error = await rejectsWith('too-large', () => write(1.5 * 1024 * 1024));
    assert.equal(error.message, 'etcdserver: request is too large');
    await rejectsWith('too-large', () => write(2 * 1024 * 1024));
    assert.equal((await storage.get(key)).entry, undefined);
    succeeded(await write(1.5 * 1024 * 1024 - 1024));
  });

  it('takes as many operations in a transaction as etcd, and writes nothing of one with more', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const write = (count: number) =>
      storage.commit({
        conditions: [],
        operations: Array.from({ length: count }, (_, at) => ({ type: 'put' as const, key: `${prefix}${at}`, value: Uint8Array.of(1) })),
      });
    for (const count of [129, 1500]) {
      const error = await rejectsWith('too-large', () => write(count));
      assert.equal(error.message, 'etcdserver: too many operations in txn request');
    }
    const range = () => storage.range({ start: prefix, end: prefixEnd(prefix) });
    assert.equal((await range()).count, 0);
    succeeded(await write(128));
    assert.equal((await range()).count, 128);
  });

  it('keeps any bytes, long and short', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const values = [new Uint8Array(), Uint8Array.of(0, 255, 107, 56, 115, 0), new Uint8Array(1_000_000).map((_, at) => at % 251)];
    for (const [at, value] of values.entries()) {
      await storage.commit({ conditions: [], operations: [{ type: 'put', key: `${prefix}${at}`, value }] });
      const { entry } = await storage.get(`${prefix}${at}`);
      assert.ok(entry && Buffer.from(entry.value).equals(value), `value ${at}`);
    }
  });
}

function describeReads(subject: Subject, newPrefix: () => string): void {
  it('ranges in order, with limit, more and count', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    for (const name of ['c', 'a', 'e', 'b', 'd', 'a/b', 'a-b']) await put(storage, `${prefix}${name}`, name);
    const all = await storage.range({ start: prefix, end: prefixEnd(prefix) });
    assert.deepEqual(names(prefix, all.entries), ['a', 'a-b', 'a/b', 'b', 'c', 'd', 'e']);
    assert.deepEqual([all.more, all.count], [false, 7]);
    const page = await storage.range({ start: `${prefix}a/b`, end: prefixEnd(prefix), limit: 2 });
    assert.deepEqual([names(prefix, page.entries), page.more, page.count], [['a/b', 'b'], true, 5]);
    const last = await storage.range({ start: `${prefix}d`, end: prefixEnd(prefix), limit: 2 });
    assert.deepEqual([names(prefix, last.entries), last.more, last.count], [['d', 'e'], false, 2]);
    const uncounted = await storage.range({ start: prefix, end: prefixEnd(prefix), limit: 2, wantsCount: false });
    assert.deepEqual([names(prefix, uncounted.entries), uncounted.more], [['a', 'a-b'], true]);
    const exclusive = await storage.range({ start: `${prefix}b`, end: `${prefix}d` });
    assert.deepEqual(names(prefix, exclusive.entries), ['b', 'c']);
  });

  it('leaves the values out of a range of keys', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const revision = await put(storage, `${prefix}a`, 'value');
    const { entries } = await storage.range({ start: prefix, end: prefixEnd(prefix), keysOnly: true });
    assert.deepEqual(entries.map(readable), [{ key: `${prefix}a`, value: '', createRevision: revision, modRevision: revision }]);
  });

  it('reads the past', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const key = `${prefix}a`;
    const first = await put(storage, key, 'first');
    const second = await put(storage, key, 'second');
    await put(storage, `${prefix}b`, 'b');
    await storage.commit({ conditions: [], operations: [{ type: 'delete', key }] });
    const at = async (revision: number) =>
      (await storage.range({ start: prefix, end: prefixEnd(prefix), revision })).entries.map((entry) => readable(entry)?.value);
    assert.deepEqual(await at(first - 1), []);
    assert.deepEqual(await at(first), ['first']);
    assert.deepEqual(await at(second), ['second']);
    assert.deepEqual(await at(second + 1), ['second', 'b']);
    assert.deepEqual(await at(second + 2), ['b']);
    assert.equal((await storage.range({ start: prefix, end: prefixEnd(prefix), revision: first })).revision, first);
    assert.equal(readable((await storage.get(key, { revision: first })).entry)?.value, 'first');
    assert.equal((await storage.get(key, { revision: second + 2 })).entry, undefined);
  });

  it('refuses to read the future', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const revision = (await storage.currentRevision()) + 1000;
    await rejectsWith('future-revision', () => storage.range({ start: prefix, end: prefixEnd(prefix), revision }));
    await rejectsWith('future-revision', () => storage.get(`${prefix}a`, { revision }));
  });

  it('shows every writer its own write', async () => {
    const { storage } = subject();
    const prefix = newPrefix();
    const write = async (writer: number) => {
      const revision = await put(storage, `${prefix}${writer}`, String(writer));
      assert.ok((await storage.currentRevision()) >= revision);
      assert.equal((await storage.get(`${prefix}${writer}`)).entry?.modRevision, revision);
    };
    await Promise.all(Array.from({ length: 50 }, (_, writer) => write(writer)));
  });

  it('can be written to, as its health check says', async () => {
    const { storage } = subject();
    await storage.checkHealth(AbortSignal.timeout(5000));
    if (storage.sizeBytes) assert.ok((await storage.sizeBytes()) > 0);
  });
}

function describeExpiry(subject: Subject, newPrefix: () => string): void {
  it('deletes a key after its time to live, and says so to watches', async () => {
    const { storage, elapse } = subject();
    const prefix = newPrefix();
    await put(storage, `${prefix}kept`, 'x');
    const put1 = { type: 'put', key: `${prefix}gone`, value: bytes('brief'), ttlSeconds: 1 } as const;
    const revision = succeeded(await storage.commit({ conditions: [], operations: [put1] }));
    assert.ok((await storage.get(`${prefix}gone`)).entry);
    const deletion = nextEvent(storage, prefix, revision);
    await elapse(1);
    assert.deepEqual((({ type, key, previous }) => [type, key, readable(previous)?.value])(await deletion), [
      'delete',
      `${prefix}gone`,
      'brief',
    ]);
    assert.equal((await storage.get(`${prefix}gone`)).entry, undefined);
    assert.ok((await storage.get(`${prefix}kept`)).entry);
  });

  it('gives a key that is written again the new time to live', async () => {
    const { storage, elapse } = subject();
    const prefix = newPrefix();
    const key = `${prefix}a`;
    await storage.commit({ conditions: [], operations: [{ type: 'put', key, value: bytes('x'), ttlSeconds: 1 }] });
    await put(storage, key, 'for ever');
    const marker = { type: 'put', key: `${prefix}marker`, value: bytes('x'), ttlSeconds: 2 } as const;
    const revision = succeeded(await storage.commit({ conditions: [], operations: [marker] }));
    const deletion = nextEvent(storage, prefix, revision);
    await elapse(2);
    assert.equal((await deletion).key, marker.key);
    assert.equal(readable((await storage.get(key)).entry)?.value, 'for ever');
  });
}

async function nextEvent(storage: Storage, prefix: string, afterRevision: number): Promise<StorageEvent> {
  const abort = new AbortController();
  for await (const { events } of storage.watch({ start: prefix, end: prefixEnd(prefix), afterRevision, signal: abort.signal }))
    for (const event of events) {
      const { previous } = event;
      abort.abort();
      return { type: event.type, key: event.key, revision: event.revision, previous };
    }
  return assert.fail('the watch ended');
}

function conditionalPut(key: string, modRevision: number, value: string): Transaction {
  return { conditions: [{ key, modRevision }], operations: [{ type: 'put', key, value: bytes(value) }] };
}

function names(prefix: string, entries: readonly StoredEntry[]): string[] {
  return entries.map((entry) => entry.key.slice(prefix.length));
}
