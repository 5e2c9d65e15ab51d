import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { Storage } from '../storage.ts';
import { prefixEnd } from '../storage.ts';
import { bytes, put, readable, rejectsWith, succeeded } from '../testing/storage-assertions.ts';
import { describeStorage } from '../testing/storage-suite.ts';
import { collect } from '../testing/watch-suite.ts';
import { openEmbeddedStorage } from './embedded-storage.ts';

const makeDirectory = () => mkdtemp(join(tmpdir(), 'kubets-embedded-'));

describeStorage('embedded', async () => {
  const clock = createManualClock();
  const directory = await makeDirectory();
  const storage = await openEmbeddedStorage({ directory, clock, logger: silentLogger, processID: process.pid });
  return {
    storage,
    async elapse(seconds) {
      await clock.advance(seconds * 1000);
    },
    async dispose() {
      await storage.close();
      await rm(directory, { recursive: true });
    },
  };
});

describe('embedded storage on disk', () => {
  const clock = createManualClock();
  let directory = '';
  const opened: Storage[] = [];
  const open = async () => {
    const storage = await openEmbeddedStorage({ directory, clock, logger: silentLogger, processID: process.pid });
    opened.push(storage);
    return storage;
  };
  beforeEach(async () => {
    directory = join(await makeDirectory(), 'data');
  });
  afterEach(async () => {
    for (const storage of opened.splice(0)) await storage.close();
    await rm(join(directory, '..'), { recursive: true });
  });

  it('is not read any more once it is closed, whoever still holds an event', async () => {
    const first = await open();
    await put(first, '/registry/x/a', 'one');
    const last = await put(first, '/registry/x/a', 'two');
    await first.close();
    const second = await open();
    const [event] = await collect(second, '/registry/x/', last - 1, 1);
    await second.close();
    assert.throws(() => event?.previous, { reason: 'closed' });
  });

  it('finds everything again when it is opened again: values, history, times to live', async () => {
    const first = await open();
    const prefix = '/registry/x/';
    const created = await put(first, `${prefix}a`, 'one');
    await put(first, `${prefix}a`, 'two');
    await put(first, `${prefix}gone`, 'x');
    await first.commit({ conditions: [], operations: [{ type: 'delete', key: `${prefix}gone` }] });
    const operations = ['q', 'p'].map((name) => ({ type: 'put', key: prefix + name, value: bytes(name), ttlSeconds: 60 }) as const);
    const last = succeeded(await first.commit({ conditions: [], operations }));
    const events = (await collect(first, prefix, 1, 6)).map(eventText);
    await first.close();

    const second = await open();
    assert.equal(await second.currentRevision(), last);
    const { entries } = await second.range({ start: prefix, end: prefixEnd(prefix) });
    assert.deepEqual(entries.map(readable), [
      { key: `${prefix}a`, value: 'two', createRevision: created, modRevision: created + 1 },
      { key: `${prefix}p`, value: 'p', createRevision: last, modRevision: last },
      { key: `${prefix}q`, value: 'q', createRevision: last, modRevision: last },
    ]);
    assert.equal(readable((await second.get(`${prefix}a`, { revision: created })).entry)?.value, 'one');
    assert.deepEqual((await collect(second, prefix, 1, 6)).map(eventText), events);
    const expiry = collect(second, prefix, last, 2);
    await clock.advance(60_000);
    const expired = (await expiry).map((event) => `${event.type} ${event.key}@${event.revision - last}`);
    assert.deepEqual(expired.toSorted(), [`delete ${prefix}p@1`, `delete ${prefix}q@1`]);
    assert.equal(await put(second, `${prefix}b`, 'x'), last + 2);
  });

  it('keeps its revision when the newest change has been compacted away', async () => {
    const first = await open();
    await put(first, '/registry/a', 'x');
    const deleted = succeeded(await first.commit({ conditions: [], operations: [{ type: 'delete', key: '/registry/a' }] }));
    await first.compact(deleted);
    await first.close();
    const second = await open();
    assert.equal(await second.currentRevision(), deleted);
    await rejectsWith('compacted', () => second.get('/registry/a', { revision: deleted - 1 }));
    assert.equal(await put(second, '/registry/a', 'y'), deleted + 1);
  });

  it('drops what was compacted from disk', async () => {
    const storage = await open();
    const noise = new Uint8Array(100_000).map((_, at) => (at * at * 31) % 251);
    let revision = 0;
    for (let write = 0; write < 150; write++) {
      noise[0] = write % 250;
      revision = (await storage.commit({ conditions: [], operations: [{ type: 'put', key: '/registry/a', value: noise }] })).revision;
      if (write % 10 === 9) await storage.compact(revision);
    }
    const { size } = await stat(join(directory, 'store.mdb'));
    assert.ok(size < 8_000_000, `${size} bytes for one key of 100,000`);
  });

  it('is refused to a second owner, by the name of the first', async () => {
    const first = await open();
    const error = await rejectsWith('unavailable', open);
    assert.equal(error.message, `the data directory ${directory} is in use by another process (pid ${process.pid})`);
    await first.close();
    await open();
  });

  it('refuses commits before the disk is full, but still reads and compacts', async () => {
    const roomy = await open();
    await put(roomy, '/registry/a', '1');
    const revision = await put(roomy, '/registry/a', '2');
    await roomy.close();
    const { bavail, bsize } = await statfs(directory);
    const options = { directory, clock, logger: silentLogger, processID: process.pid, minFreeBytes: 2 * bavail * bsize };
    const storage = await openEmbeddedStorage(options);
    opened.push(storage);
    await rejectsWith('no-space', () => put(storage, '/registry/b', 'x'));
    await rejectsWith('no-space', () => storage.checkHealth(AbortSignal.timeout(1000)));
    assert.equal(await storage.currentRevision(), revision);
    assert.equal((await storage.get('/registry/b')).entry, undefined);
    await storage.compact(revision);
    assert.equal(readable((await storage.get('/registry/a')).entry)?.value, '2');
    await rejectsWith('no-space', () => put(storage, '/registry/b', 'x'));
  });

  it('keeps the directory from other users', async () => {
    await open();
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    for (const name of ['lock', 'lock.pid']) assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600, name);
  });

  it('has every acknowledged write after SIGKILL, and is free for the next owner', async function () {
    this.timeout(60_000);
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 3; round++) {
      const writer = startWriter(directory, round);
      await untilAcknowledged(writer, acknowledged, 1500);
      const storage = await open();
      const { entries, revision } = await storage.range({ start: '/registry/', end: prefixEnd('/registry/') });
      const stored = new Map(entries.map((entry) => [entry.key, entry]));
      for (const [key, written] of acknowledged) assert.equal(stored.get(key)?.modRevision, written, `${key} of revision ${written}`);
      for (const { key, value } of entries) assert.equal(Buffer.from(value).toString('utf8', 0, key.length), key);
      const events = await collect(storage, '/registry/', 1, entries.length);
      assert.deepEqual(
        events.map((event) => event.revision),
        Array.from({ length: revision - 1 }, (_, at) => at + 2),
      );
      await storage.close();
    }
  });
});

function eventText(event: { type: string; key: string; revision: number; previous?: { modRevision: number } | undefined }): string {
  return `${event.type} ${event.key}@${event.revision} was ${event.previous?.modRevision}`;
}

function startWriter(directory: string, round: number): ChildProcess {
  const program = join(import.meta.dirname, 'testdata', 'writer.ts');
  return spawn(process.execPath, [program, directory, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Kills the writer in full swing, as soon as it has said `enough` times that a key was written. */
async function untilAcknowledged(writer: ChildProcess, acknowledged: Map<string, number>, enough: number): Promise<void> {
  assert.ok(writer.stdout);
  const exited = once(writer, 'exit');
  let seen = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    const [key, revision] = line.split(' ');
    if (key && revision) acknowledged.set(key, Number(revision));
    if (++seen === enough) writer.kill('SIGKILL');
  }
  const [code, signal] = await exited;
  assert.deepEqual([code, signal], [null, 'SIGKILL'], `the writer ended by itself after ${seen} writes`);
}
