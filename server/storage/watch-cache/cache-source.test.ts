import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import type { ManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import type { Storage } from '../storage.ts';
import type { CacheSource, CacheSourceDependencies } from './cache-source.ts';
import { createCacheSource } from './cache-source.ts';
import type { CachedResource } from './stored-object.ts';
import type { CacheEvent, CacheEvents, CacheWatchOptions, WatchCache, WatchScope } from './watch-cache.ts';

const pods: CachedResource = {
  resourcePrefix: '/registry/pods/',
  namespaced: true,
  apiVersion: 'v1',
  kind: 'Pod',
  selectableFields: { 'spec.nodeName': (pod) => ('spec' in pod ? String(Object(pod.spec).nodeName ?? '') : '') },
};
const anyone = new AbortController().signal;

interface Setup {
  readonly clock: ManualClock;
  readonly storage: Storage;
  readonly source: CacheSource;
  readonly cache: WatchCache;
}

async function setup(options: Partial<CacheSourceDependencies> = {}): Promise<Setup> {
  const clock = createManualClock();
  const storage = options.storage ?? createMemoryStorage({ clock });
  const source = createCacheSource({ clock, logger: silentLogger, prefix: '/registry/', ...options, storage });
  const cache = source.cacheFor(pods);
  await source.ready();
  return { clock, storage, source, cache };
}

async function put(storage: Storage, name: string, content: Record<string, unknown> = {}): Promise<number> {
  const [namespace, short] = name.split('/');
  const { labels, ...rest } = content;
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: short, namespace, ...(labels ? { labels } : {}) }, ...rest };
  const value = Buffer.from(JSON.stringify(object));
  const result = await storage.commit({ conditions: [], operations: [{ type: 'put', key: `/registry/pods/${name}`, value }] });
  return result.revision;
}

async function remove(storage: Storage, name: string): Promise<number> {
  return (await storage.commit({ conditions: [], operations: [{ type: 'delete', key: `/registry/pods/${name}` }] })).revision;
}

type Opening = Partial<CacheWatchOptions> & Partial<WatchScope> & { afterRevision: number };

/** The events one by one; the watch is there at once, as that of a request is. */
function open(cache: WatchCache, options: Opening): AsyncIterator<CacheEvent, undefined> {
  const batches = openBatches(cache, options);
  return (async function* () {
    for (let next = await batches.next(); !next.done; next = await batches.next()) yield* next.value.events;
    return undefined;
  })();
}

function openBatches(cache: WatchCache, options: Opening): AsyncIterator<CacheEvents, undefined> {
  const { keyPrefix = '', selector = '', matches = () => true, requires, ...rest } = options;
  const scope = { keyPrefix, selector, matches, ...(requires ? { requires } : {}) };
  return cache.watch({ scope, bookmarks: false, signal: anyone, ...rest })[Symbol.asyncIterator]();
}

async function take(count: number, watch: AsyncIterator<CacheEvent, undefined>): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) {
    const next = await watch.next();
    if (next.done) return [...events, 'END'];
    const event = next.value;
    events.push(event.type === 'BOOKMARK' ? `BOOKMARK@${event.revision}` : `${event.type} ${event.object.name}@${event.object.revision}`);
  }
  return events;
}

const reachNewest = (cache: WatchCache) => cache.reach('newest', { timeoutMs: 1000, signal: anyone });
const list = (cache: WatchCache, query: Partial<Parameters<WatchCache['list']>[0]> = {}) => {
  const { objects, count, revision } = cache.list({ keyPrefix: '', ...query });
  return { names: Array.from(objects, (object) => `${object.namespace}/${object.name}@${object.revision}`), count, revision };
};

describe('watch cache', () => {
  it('serves what was there before it started and what comes after', async () => {
    const storage = createMemoryStorage({ clock: createManualClock() });
    const first = await put(storage, 'default/a');
    const { cache } = await setup({ storage });
    const second = await put(storage, 'default/b', { labels: { app: 'x' }, spec: { nodeName: 'n1' } });
    await cache.reach(second, { timeoutMs: 0, signal: anyone });
    assert.deepEqual(list(cache), { names: [`default/a@${first}`, `default/b@${second}`], count: 2, revision: second });
    const b = cache.get('default/b');
    assert.equal(
      Buffer.from(b?.json ?? [])
        .toString()
        .slice(0, 69),
      `{"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":"${second}","na`,
    );
    assert.deepEqual(b?.labels(), { app: 'x' });
    assert.deepEqual(
      ['metadata.name', 'metadata.namespace', 'spec.nodeName', 'status.phase'].map((name) => b?.field(name)),
      ['b', 'default', 'n1', undefined],
    );
    const object = b?.object();
    assert.equal(object?.metadata.resourceVersion, String(second));
    assert.ok(Object.isFrozen(object) && Object.isFrozen(object?.metadata.labels));
    assert.equal(b?.object(), object);
  });

  it('lists namespaces and continues after a key', async () => {
    const { storage, cache } = await setup();
    for (const name of ['a/1', 'a/2', 'a-b/1', 'b/1', 'a/3']) await put(storage, name);
    await reachNewest(cache);
    const names = (query: Parameters<typeof list>[1]) => {
      const listed = list(cache, query);
      return [listed.names.map((name) => name.replace(/@.*/, '')), listed.count];
    };
    assert.deepEqual(names({ keyPrefix: 'a/' }), [['a/1', 'a/2', 'a/3'], 3]);
    assert.deepEqual(names({ keyPrefix: 'a/', after: 'a/1' }), [['a/2', 'a/3'], 2]);
    assert.deepEqual(names({ after: 'a/1' }), [['a/2', 'a/3', 'b/1'], 3]);
    assert.deepEqual(names({ keyPrefix: 'c/' }), [[], 0]);
  });

  it('reads its own past, and keeps a listing as it was', async () => {
    const { storage, cache } = await setup();
    const first = await put(storage, 'd/a');
    const second = await put(storage, 'd/b');
    await reachNewest(cache);
    const lazy = cache.list({ keyPrefix: '' }).objects;
    const third = await put(storage, 'd/a', { changed: true });
    await remove(storage, 'd/b');
    const last = await put(storage, 'd/c');
    await reachNewest(cache);
    assert.deepEqual(
      Array.from(lazy, ({ name, revision }) => [name, revision]),
      [
        ['a', first],
        ['b', second],
      ],
    );
    assert.deepEqual(list(cache, { revision: first }).names, [`d/a@${first}`]);
    assert.deepEqual(list(cache, { revision: second }).names, [`d/a@${first}`, `d/b@${second}`]);
    assert.deepEqual(list(cache, { revision: third }), { names: [`d/a@${third}`, `d/b@${second}`], count: 2, revision: third });
    assert.deepEqual(list(cache, { revision: last }).names, [`d/a@${third}`, `d/c@${last}`]);
    assert.throws(() => cache.list({ keyPrefix: '', revision: last + 1 }), { reason: 'future-revision' });
  });

  it('gives no exact past from before a compaction, though its log reaches further back', async () => {
    const { storage, cache, source } = await setup();
    const first = await put(storage, 'd/a');
    const second = await put(storage, 'd/b');
    await reachNewest(cache);
    source.forgetBefore(second);
    assert.throws(() => cache.list({ keyPrefix: '', revision: first }), { reason: 'compacted' });
    assert.equal(list(cache, { revision: second }).count, 2);
  });

  it('turns changes into what a selector sees', async () => {
    const { storage, cache } = await setup();
    const start = await put(storage, 'd/z');
    const watch = open(cache, { afterRevision: start, matches: (object) => object.labels()['app'] === 'x' });
    const watched = take(4, watch);
    await put(storage, 'd/a');
    await put(storage, 'd/a', { labels: { app: 'x' } });
    await put(storage, 'd/a', { labels: { app: 'x' }, more: 1 });
    await put(storage, 'd/a', { labels: { app: 'y' } });
    await remove(storage, 'd/a');
    await put(storage, 'd/b', { labels: { app: 'x' } });
    const expected = [`ADDED a@${start + 2}`, `MODIFIED a@${start + 3}`, `DELETED a@${start + 4}`, `ADDED b@${start + 6}`];
    assert.deepEqual(await watched, expected);
    assert.deepEqual(await take(4, open(cache, { afterRevision: start, matches: (object) => object.labels()['app'] === 'x' })), expected);
    assert.deepEqual(await take(1, open(cache, { afterRevision: start, keyPrefix: 'd/b' })), [`ADDED b@${start + 6}`]);
  });

  it('gives the last state with the revision of the delete', async () => {
    const { storage, cache } = await setup();
    const created = await put(storage, 'd/a', { labels: { app: 'x' } });
    await reachNewest(cache);
    assert.match(Buffer.from(cache.get('d/a')?.json ?? []).toString(), new RegExp(`"resourceVersion":"${created}"`));
    const deleted = await remove(storage, 'd/a');
    const { value } = await open(cache, { afterRevision: created }).next();
    assert.ok(value && value.type === 'DELETED');
    assert.equal(value.object.object().metadata.resourceVersion, String(deleted));
    assert.deepEqual(value.object.labels(), { app: 'x' });
  });

  it('replays from the store what it does not hold itself, then goes on', async () => {
    const storage = createMemoryStorage({ clock: createManualClock() });
    const first = await put(storage, 'd/a');
    await put(storage, 'd/a', { changed: true });
    await put(storage, 'e/other');
    await remove(storage, 'd/a');
    const { cache } = await setup({ storage });
    const watch = open(cache, { afterRevision: first, keyPrefix: 'd/' });
    assert.deepEqual(await take(2, watch), [`MODIFIED a@${first + 1}`, `DELETED a@${first + 3}`]);
    const next = take(1, watch);
    const last = await put(storage, 'd/new');
    assert.deepEqual(await next, [`ADDED new@${last}`]);
    await storage.compact(first + 1);
    await assert.rejects(open(cache, { afterRevision: first }).next(), { reason: 'compacted' });
  });

  it('ends a watch that falls behind, which then resumes without a gap', async () => {
    const { storage, cache } = await setup({ logLimits: { entries: 5, heldBytes: 1e6 } });
    const start = await put(storage, 'd/first');
    const watch = open(cache, { afterRevision: start });
    const first = await put(storage, 'd/0');
    assert.deepEqual(await take(1, watch), [`ADDED 0@${first}`]);
    for (let name = 1; name <= 20; name++) await put(storage, `d/${name}`);
    await reachNewest(cache);
    assert.deepEqual(await take(1, watch), ['END']);
    const resumed = await take(20, open(cache, { afterRevision: first }));
    assert.deepEqual(
      resumed,
      Array.from({ length: 20 }, (_, at) => `ADDED ${at + 1}@${first + 1 + at}`),
    );
    assert.throws(() => cache.list({ keyPrefix: '', revision: first }), { reason: 'compacted' });
  });

  it('bounds its log by the bytes it holds', async () => {
    const { storage, cache } = await setup({ logLimits: { entries: 1000, heldBytes: 10_000 } });
    const start = await put(storage, 'd/a');
    for (let write = 0; write < 30; write++) await put(storage, 'd/a', { padding: 'x'.repeat(1000) });
    await reachNewest(cache);
    assert.throws(() => cache.list({ keyPrefix: '', revision: start }), { reason: 'compacted' });
    assert.equal(list(cache, { revision: start + 25 }).count, 1);
  });

  it('bounds its log by age, but for a few entries, also where nothing changes any more', async () => {
    const { storage, cache, clock } = await setup();
    const start = await put(storage, 'd/a');
    for (let write = 0; write < 200; write++) await put(storage, 'd/a', { write });
    await reachNewest(cache);
    assert.equal(list(cache, { revision: start }).count, 1);
    await clock.advance(80_000);
    await storage.commit({ conditions: [], operations: [{ type: 'put', key: '/registry/other/x', value: Buffer.from('{}') }] });
    await reachNewest(cache);
    assert.throws(() => cache.list({ keyPrefix: '', revision: start + 99 }), { reason: 'compacted' });
    assert.equal(list(cache, { revision: start + 100 }).count, 1);
  });

  it('sends bookmarks once a minute and when a watch is ended', async () => {
    const { storage, cache, clock } = await setup();
    const abort = new AbortController();
    const start = await put(storage, 'd/a');
    const watch = open(cache, { afterRevision: start, keyPrefix: 'other/', bookmarks: true, signal: abort.signal });
    const first = take(1, watch);
    const second = await put(storage, 'd/b');
    await clock.advance(60_000);
    assert.deepEqual(await first, [`BOOKMARK@${second}`]);
    const last = take(2, watch);
    const third = await put(storage, 'd/c');
    await reachNewest(cache);
    abort.abort();
    assert.deepEqual(await last, [`BOOKMARK@${third}`, 'END']);
    assert.equal(cache.watchers(), 0);
    assert.equal(clock.pendingTimers(), 0);
  });

  it('takes over what was stored before its resource was known', async () => {
    const { storage, source } = await setup();
    const key = '/registry/example.com/widgets/d/w';
    const put1 = { type: 'put', key, value: Buffer.from('{"metadata":{"name":"w"}}') } as const;
    const { revision } = await storage.commit({ conditions: [], operations: [put1] });
    await source.reach('newest', { timeoutMs: 0, signal: anyone });
    const widgets = source.cacheFor({
      ...pods,
      resourcePrefix: '/registry/example.com/widgets/',
      apiVersion: 'example.com/v1',
      kind: 'Widget',
    });
    assert.deepEqual(list(widgets).names, [`d/w@${revision}`]);
    assert.deepEqual(await take(1, open(widgets, { afterRevision: revision - 1 })), [`ADDED w@${revision}`]);
    const next = take(1, open(widgets, { afterRevision: revision }));
    await storage.commit({ conditions: [], operations: [{ type: 'delete', key }] });
    assert.deepEqual(await next, [`DELETED w@${revision + 1}`]);
    assert.equal(source.cacheFor({ ...pods, resourcePrefix: '/registry/example.com/widgets/' }), widgets);
  });

  it('says which object cannot be read, and decodes protobuf if it can', async () => {
    const unreadable = await setup();
    const value = Buffer.from('k8s\0binary');
    const operations = [{ type: 'put', key: '/registry/pods/d/p', value }] as const;
    await unreadable.storage.commit({ conditions: [], operations });
    await reachNewest(unreadable.cache);
    assert.throws(() => unreadable.cache.get('d/p')?.json, {
      reason: 'corrupt',
      message: /^\/registry\/pods\/d\/p at revision 2 cannot be read: .*protobuf/,
    });
    const watch = open(unreadable.cache, { afterRevision: 1, matches: (object) => object.labels()['a'] === 'b' });
    await assert.rejects(watch.next(), { reason: 'corrupt' });
    const readable = await setup({ storage: unreadable.storage, decodeProtobuf: () => Buffer.from('{"metadata":{"name":"p"}}') });
    assert.equal(readable.cache.get('d/p')?.object().metadata.resourceVersion, '2');
  });

  it('waits until it has caught up, or says that it could not in time', async () => {
    const { cache, clock, storage } = await setup();
    const waiting = cache.reach(3, { timeoutMs: 3000, signal: anyone });
    await put(storage, 'd/a');
    await put(storage, 'd/b');
    await waiting;
    const late = assert.rejects(cache.reach(100, { timeoutMs: 3000, signal: anyone }), { reason: 'timeout', revision: 3 });
    await clock.advance(3000);
    await late;
    const abort = new AbortController();
    const aborted = assert.rejects(cache.reach(100, { timeoutMs: 3000, signal: abort.signal }), { name: 'AbortError' });
    abort.abort();
    await aborted;
    assert.equal(clock.pendingTimers(), 0);
  });

  it('shows every writer its write, without waiting for a timer', async () => {
    const { cache, storage } = await setup();
    const write = async (name: number) => {
      const revision = await put(storage, `d/${name}`);
      await reachNewest(cache);
      assert.equal(cache.get(`d/${name}`)?.revision, revision);
    };
    await Promise.all(Array.from({ length: 200 }, (_, name) => write(name)));
  });

  it('makes an encoding once for all watchers', async () => {
    const { cache, storage } = await setup();
    const start = await put(storage, 'd/a');
    const watches = [open(cache, { afterRevision: start }), open(cache, { afterRevision: start })];
    const events = Promise.all(watches.map((watch) => watch.next()));
    await put(storage, 'd/b');
    let made = 0;
    const frames = (await events).map(({ value }) => {
      assert.ok(value && value.type === 'ADDED');
      return value.object.encoded('frame', (object) => {
        made++;
        return Buffer.from(`{"type":"ADDED","object":${Buffer.from(object.json)}}`);
      });
    });
    assert.equal(made, 1);
    assert.equal(frames[0], frames[1]);
  });

  it('loads anew and ends its watches when compaction has overtaken it', async () => {
    const clock = createManualClock();
    const storage = createMemoryStorage({ clock });
    await put(storage, 'd/a');
    let cut = new AbortController();
    let mayConnect = Promise.resolve();
    const overtaken: Storage = {
      ...storage,
      async *watch(options) {
        await mayConnect;
        yield* storage.watch({ ...options, signal: AbortSignal.any([options.signal, cut.signal]) });
      },
    };
    const { cache } = await setup({ storage: overtaken, clock });
    const followed = await put(storage, 'd/a');
    await reachNewest(cache);
    const ended = take(1, open(cache, { afterRevision: followed }));
    const reconnect = Promise.withResolvers<void>();
    mayConnect = reconnect.promise;
    cut.abort();
    cut = new AbortController();
    await put(storage, 'd/b');
    await put(storage, 'd/c');
    await storage.compact(followed + 2);
    reconnect.resolve();
    await reachNewest(cache);
    assert.deepEqual(await ended, ['END']);
    assert.equal(cache.count(), 3);
    await assert.rejects(open(cache, { afterRevision: followed }).next(), { reason: 'compacted' });
  });

  it('refuses to be read once closed', async () => {
    const { cache, source, storage } = await setup();
    const start = await put(storage, 'd/a');
    const ended = take(1, open(cache, { afterRevision: start }));
    await source.close();
    assert.deepEqual(await ended, ['END']);
    assert.throws(() => cache.list({ keyPrefix: '' }), { reason: 'closed' });
  });
});
