import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { openEmbeddedStorage } from '../../server/storage/embedded/embedded-storage.ts';
import { connectEtcdStorage } from '../../server/storage/etcd/etcd-storage.ts';
import { createMemoryStorage } from '../../server/storage/memory/memory-storage.ts';
import type { Storage } from '../../server/storage/storage.ts';
import { createCacheSource } from '../../server/storage/watch-cache/cache-source.ts';

// node conformance/bench/storage.ts [memory|embedded|etcd=URL]...   Commits, reads and the cache over each store.

const valueBytes = 2048;
const objects = 20_000;

async function report(name: string, measure: () => Promise<number>): Promise<void> {
  const startMs = performance.now();
  const operations = await measure();
  const elapsedMs = performance.now() - startMs;
  const rate = Math.round((operations / elapsedMs) * 1000).toLocaleString('en-US');
  console.log(`  ${name.padEnd(44)} ${rate.padStart(12)}/s ${((elapsedMs / operations) * 1000).toFixed(1).padStart(10)} us each`);
}

function podValue(name: string): Buffer {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'bench', labels: { app: name.slice(-1) } },
    spec: { nodeName: '' },
    pad: '',
  };
  const text = JSON.stringify(pod);
  let random = 1;
  const noise = Array.from({ length: valueBytes - text.length }, () => ((random = (random * 48_271) % 2_147_483_647) % 36).toString(36));
  return Buffer.from(JSON.stringify({ ...pod, pad: noise.join('') }));
}

async function commits(storage: Storage, callers: number, total: number): Promise<number> {
  const value = podValue('x');
  let started = 0;
  const caller = async () => {
    while (started < total) {
      const key = `/registry/pods/bench/${callers}-${started++}`;
      await storage.commit({ conditions: [{ key, modRevision: 0 }], operations: [{ type: 'put', key, value }] });
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return total;
}

async function bench(name: string, storage: Storage): Promise<void> {
  console.log(name);
  for (const [callers, total] of [
    [1, 2000],
    [16, 20_000],
    [64, objects],
  ] as const)
    await report(`commit ${valueBytes} B, ${callers} callers`, () => commits(storage, callers, total));
  await report('get', async () => {
    for (let at = 0; at < 10_000; at++) await storage.get(`/registry/pods/bench/64-${at}`);
    return 10_000;
  });
  await report(
    'range, pages of 500, per object',
    async () => (await storage.range({ start: '/registry/pods/bench/64', end: '/registry/pods/bench/65' })).count,
  );
  await benchCache(storage);
  await storage.close();
}

async function benchCache(storage: Storage): Promise<void> {
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.();
  const before = process.memoryUsage();
  const source = createCacheSource({ storage, prefix: '/registry/', clock: systemClock, logger: silentLogger });
  const cache = source.cacheFor({
    resourcePrefix: '/registry/pods/',
    namespaced: true,
    apiVersion: 'v1',
    kind: 'Pod',
    selectableFields: {},
  });
  await report('cache: load, per object', async () => {
    await source.ready();
    return cache.count();
  });
  for (const pass of ['first', 'second'])
    await report(`cache: list to bytes, ${pass}, per object`, async () => {
      let bytes = 0;
      for (const object of cache.list({ keyPrefix: '' }).objects) bytes += object.json.length;
      return bytes > 0 ? cache.count() : 0;
    });
  await report('cache: list by label, per object', async () => {
    let read = 0;
    for (const object of cache.list({ keyPrefix: '' }).objects) if (object.labels()['app'] !== 'none') read++;
    return read;
  });
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const perObject = (heapUsed + external - before.heapUsed - before.external) / cache.count();
  console.log(`  cache: memory ${Math.round(perObject)} B per object of ${valueBytes} B`);
  const signal = new AbortController().signal;
  await report('cache: consistent read', async () => {
    for (let at = 0; at < 5000; at++) await cache.reach('newest', { timeoutMs: 3000, signal });
    return 5000;
  });
  await benchWatch(storage, cache, source);
}

async function benchWatch(
  storage: Storage,
  cache: ReturnType<ReturnType<typeof createCacheSource>['cacheFor']>,
  source: ReturnType<typeof createCacheSource>,
): Promise<void> {
  const watchers = 100;
  const events = 5000;
  const abort = new AbortController();
  const afterRevision = cache.revision();
  const watch = async () => {
    let seen = 0;
    const scope = { keyPrefix: '', selector: '', matches: () => true };
    for await (const batch of cache.watch({ scope, afterRevision, bookmarks: false, signal: abort.signal })) {
      seen += batch.events.length;
      if (seen >= events) return;
    }
  };
  await report(`cache: events through ${watchers} watches`, async () => {
    const done = Promise.all(Array.from({ length: watchers }, watch));
    await commits(storage, 63, events);
    await done;
    return events * watchers;
  });
  abort.abort();
  await source.close();
}

const directory = await mkdtemp(join(tmpdir(), 'kubets-bench-'));
try {
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : ['memory', 'embedded']) {
    if (name === 'memory') await bench(name, createMemoryStorage({ clock: systemClock }));
    else if (name === 'embedded')
      await bench(name, await openEmbeddedStorage({ directory, clock: systemClock, logger: silentLogger, processID: process.pid }));
    else if (name.startsWith('etcd='))
      await bench(name, await connectEtcdStorage({ endpoints: [name.slice(5)], clock: systemClock, logger: silentLogger }));
    else throw new Error(`unknown store ${name}`);
  }
} finally {
  await rm(directory, { recursive: true });
}
