import assert from 'node:assert/strict';
import { silentLogger } from '../../base/logger.ts';
import { createSeededRandom } from '../../base/testing/seeded-random.ts';
import { systemClock } from '../../base/system-clock.ts';
import { configMaps } from '../../resources/core/v1/config-map.ts';
import type { ConfigMap } from '../../types/core-v1.ts';
import type { Client } from '../client.ts';
import { createClient } from '../create-client.ts';
import { createInformerFactory } from './informer-factory.ts';
import { ObjectServer } from '../testing/object-server.ts';
import { waitFor } from '../wait-for.ts';

const within = { withinSeconds: 10, everyMs: 2, clock: systemClock };
/** Waits run at a thousandth of their length. */
const fastClock = { ...systemClock, setTimer: (delayMs: number, fire: () => void) => systemClock.setTimer(delayMs / 1000, fire) };

function configMap(name: string, value: string): ConfigMap {
  return { metadata: { namespace: 'default', name }, data: { value } };
}

async function started(test: (parts: { server: ObjectServer; client: Client; log: string[]; names: () => string[] }) => Promise<void>) {
  const server = new ObjectServer();
  const client = createClient(server.transport);
  const factory = createInformerFactory({ client, clock: fastClock, random: createSeededRandom(1), logger: silentLogger });
  await client(configMaps).create(configMap('first', '1'));
  const informer = factory.informer(configMaps);
  assert.equal(factory.informer(configMaps), informer);
  const log: string[] = [];
  informer.addHandler({
    onAdd: (object, isInitial) => log.push(`add ${object.metadata.name}${isInitial ? ' initial' : ''}`),
    onUpdate: (object, old) => log.push(`update ${object.metadata.name} ${old.data?.['value']} -> ${object.data?.['value']}`),
    onDelete: (object) => log.push(`delete ${object.metadata.name}`),
  });
  const stop = new AbortController();
  const running = factory.run(stop.signal);
  try {
    await factory.synced(stop.signal);
    await test({
      server,
      client,
      log,
      names: () =>
        informer.lister
          .list()
          .map((object) => object.metadata.name ?? '')
          .sort(),
    });
  } finally {
    stop.abort();
    await running;
  }
}

describe('InformerFactory', () => {
  it('tells of what is there and of every change in order', () =>
    started(async ({ client, log, names }) => {
      const made = await client(configMaps).create(configMap('second', '1'));
      await client(configMaps).update({ ...made, data: { value: '2' } });
      await client(configMaps).delete({ namespace: 'default', name: 'first' });
      await waitFor('all events', () => log.length === 4, within);
      assert.deepEqual(log, ['add first initial', 'add second', 'update second 1 -> 2', 'delete first']);
      assert.deepEqual(names(), ['second']);
    }));

  it('resumes a cut watch where it was, without listing again', () =>
    started(async ({ server, client, log }) => {
      const lists = () => server.requests.filter((request) => request.method === 'GET' && !request.query.includes('watch')).length;
      await waitFor('a watch', () => server.requests.some((request) => request.query.includes('watch')), within);
      server.cutWatches();
      await client(configMaps).create(configMap('second', '1'));
      await waitFor('the event', () => log.includes('add second'), within);
      assert.equal(lists(), 1);
    }));

  it('lists anew when its version is gone, and tells the difference', () =>
    started(async ({ server, client, log, names }) => {
      await client(configMaps).create(configMap('stays', '1'));
      await waitFor('the event', () => log.includes('add stays'), within);
      let isDown = true;
      server.onRequest = (request) => {
        if (isDown && request.query.includes('watch')) throw new Error('ECONNREFUSED');
      };
      server.cutWatches();
      await client(configMaps).delete({ namespace: 'default', name: 'first' });
      await client(configMaps).patch({ namespace: 'default', name: 'stays' }, { type: 'merge', body: { data: { value: '2' } } });
      await client(configMaps).create(configMap('new', '1'));
      server.compact();
      isDown = false;
      await waitFor('the difference', () => log.length === 5, within);
      assert.deepEqual(log.slice(2), ['delete first', 'update stays 1 -> 2', 'add new']);
      assert.deepEqual(names(), ['new', 'stays']);
    }));

  it('shows an object that was deleted and made again meanwhile as two', () =>
    started(async ({ server, client, log }) => {
      await waitFor('a watch', () => server.requests.some((request) => request.query.includes('watch')), within);
      let isDown = true;
      server.onRequest = (request) => {
        if (isDown && request.query.includes('watch')) throw new Error('ECONNREFUSED');
      };
      server.cutWatches();
      await client(configMaps).delete({ namespace: 'default', name: 'first' });
      await client(configMaps).create(configMap('first', '2'));
      server.compact();
      isDown = false;
      await waitFor('both', () => log.length === 3, within);
      assert.deepEqual(log.slice(1), ['delete first', 'add first']);
    }));
});
