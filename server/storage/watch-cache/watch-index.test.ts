import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import type { Storage } from '../storage.ts';
import { createCacheSource } from './cache-source.ts';
import type { CachedObject, CacheEvents, RequiredValue, WatchCache, WatchScope } from './watch-cache.ts';

const anyone = new AbortController().signal;

async function setup(): Promise<{ storage: Storage; cache: WatchCache }> {
  const clock = createManualClock();
  const storage = createMemoryStorage({ clock });
  const source = createCacheSource({ clock, logger: silentLogger, prefix: '/registry/', storage });
  const cache = source.cacheFor({
    resourcePrefix: '/registry/pods/',
    namespaced: true,
    apiVersion: 'v1',
    kind: 'Pod',
    selectableFields: { 'spec.nodeName': (pod) => ('spec' in pod ? String(Object(pod.spec).nodeName ?? '') : '') },
  });
  await source.ready();
  return { storage, cache };
}

interface PodContent {
  readonly node?: string;
  readonly labels?: Record<string, string>;
}

async function put(storage: Storage, name: string, { node = '', labels = {} }: PodContent = {}): Promise<number> {
  const [namespace, short] = name.split('/');
  const value = Buffer.from(JSON.stringify({ metadata: { name: short, namespace, labels }, spec: { nodeName: node } }));
  return (await storage.commit({ conditions: [], operations: [{ type: 'put', key: `/registry/pods/${name}`, value }] })).revision;
}

/** A watch that counts how often it was asked whether an object matches. */
function openCounting(cache: WatchCache, keyPrefix: string, requires?: RequiredValue) {
  const counted = { asked: 0, events: [] as string[], batches: [] as CacheEvents[] };
  const scope: WatchScope = {
    keyPrefix,
    selector: requires ? `${requires.name}=${requires.value}` : '',
    ...(requires ? { requires } : {}),
    matches(object: CachedObject) {
      counted.asked++;
      if (!requires) return true;
      const value = requires.of === 'field' ? object.field(requires.name) : object.labels()[requires.name];
      return value === requires.value;
    },
  };
  const follow = async () => {
    for await (const batch of cache.watch({ scope, afterRevision: cache.revision(), bookmarks: false, signal: anyone })) {
      counted.batches.push(batch);
      for (const event of batch.events)
        counted.events.push(event.type === 'BOOKMARK' ? event.type : `${event.type} ${event.object.namespace}/${event.object.name}`);
    }
  };
  void follow();
  return counted;
}

async function settled(cache: WatchCache): Promise<void> {
  await cache.reach('newest', { timeoutMs: 1000, signal: anyone });
  await new Promise((resolve) => setImmediate(resolve));
}

describe('watch index', () => {
  it('asks no watch of another node, namespace, name or label', async () => {
    const { storage, cache } = await setup();
    const nodes = Array.from({ length: 50 }, (_, node) =>
      openCounting(cache, '', { of: 'field', name: 'spec.nodeName', value: `node-${node}` }),
    );
    const blue = openCounting(cache, '', { of: 'label', name: 'color', value: 'blue' });
    const other = openCounting(cache, 'other/');
    const single = openCounting(cache, 'd/a');
    const sibling = openCounting(cache, 'd/ab');
    await put(storage, 'd/a', { node: 'node-7' });
    await put(storage, 'd/a', { node: 'node-8', labels: { color: 'blue' } });
    await put(storage, 'd/a', { node: 'node-8', labels: { color: 'red' } });
    await settled(cache);
    assert.deepEqual(nodes[7]?.events, ['ADDED d/a', 'DELETED d/a']);
    assert.deepEqual(nodes[8]?.events, ['ADDED d/a', 'MODIFIED d/a']);
    assert.deepEqual(blue.events, ['ADDED d/a', 'DELETED d/a']);
    assert.deepEqual(single.events, ['ADDED d/a', 'MODIFIED d/a', 'MODIFIED d/a']);
    assert.deepEqual([sibling.asked, other.asked, nodes.filter(({ asked }) => asked > 0).length], [0, 0, 2]);
  });

  it('finds out once what watches with the same scope see, and gives them the same', async () => {
    const { storage, cache } = await setup();
    const watches = Array.from({ length: 20 }, () => openCounting(cache, 'd/'));
    await storage.commit({
      conditions: [],
      operations: ['a', 'b', 'c'].map((name) => ({ type: 'put', key: `/registry/pods/d/${name}`, value: Buffer.from('{"metadata":{}}') })),
    });
    await settled(cache);
    const [batch] = watches[0]?.batches ?? [];
    assert.equal(batch?.events.length, 3);
    assert.ok(watches.every(({ batches }) => batches.length === 1 && batches[0] === batch));
    assert.equal(
      watches.reduce((sum, { asked }) => sum + asked, 0),
      3,
    );
    const made = batch.shared('frames', () => ({ size: 1 }));
    assert.equal(
      batch.shared('frames', () => ({ size: 2 })),
      made,
    );
  });

  it('forgets what nobody watches any more', async () => {
    const { storage, cache } = await setup();
    const requires = { of: 'field', name: 'spec.nodeName', value: 'n' } as const;
    for (const scope of [{ keyPrefix: '', requires }, { keyPrefix: 'd/' }]) {
      const abort = new AbortController();
      const watch = cache
        .watch({
          scope: { selector: 's', matches: () => true, ...scope },
          afterRevision: cache.revision(),
          bookmarks: false,
          signal: abort.signal,
        })
        [Symbol.asyncIterator]();
      const ended = watch.next();
      assert.equal(cache.watchers(), 1);
      abort.abort();
      assert.equal((await ended).done, true);
      assert.equal(cache.watchers(), 0);
    }
    await put(storage, 'd/a', { node: 'n' });
    await settled(cache);
    assert.equal(cache.count(), 1);
  });

  it('gives a watch opened at a revision to come only what is after it', async () => {
    const { storage, cache } = await setup();
    const start = await put(storage, 'd/a');
    await settled(cache);
    const watch = cache
      .watch({
        scope: { keyPrefix: '', selector: '', matches: () => true },
        afterRevision: start + 2,
        bookmarks: false,
        signal: anyone,
      })
      [Symbol.asyncIterator]();
    const next = watch.next();
    for (const name of ['b', 'c', 'd', 'e']) await put(storage, `d/${name}`);
    await settled(cache);
    const { value } = await next;
    const [first] = value?.events ?? [];
    assert.ok(first && first.type !== 'BOOKMARK');
    assert.equal(first.object.revision, start + 3);
  });
});
