import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { take } from '../../../api/client/take.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import type { Deployment } from '../../../api/types/apps-v1.ts';
import { startAPIServerInProcess } from './start-api-server.ts';

interface Subject {
  readonly client: Client;
  close(): Promise<void>;
}

const subjects: readonly (readonly [string, () => Promise<Subject>])[] = [
  ['the object server of tests', async () => ({ client: createClient(new ObjectServer().transport), close: async () => {} })],
  [
    'the API server',
    async () => {
      const server = await startAPIServerInProcess();
      const user = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
      return { client: createClient(server.transport, { user }), close: () => server.close() };
    },
  ],
];

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => assert.fail('it did not fail'),
    (error: unknown) => {
      assert.ok(error instanceof StatusError, String(error));
      return `${error.code} ${error.status.reason}`;
    },
  );

for (const [name, start] of subjects) {
  describe(`what controllers' tests rely on, of ${name}`, () => {
    let subject: Subject;
    const maps = () => subject.client(configMaps);
    const key = (one: string) => ({ namespace: 'default', name: one });
    const create = (one: string, metadata: object = {}) => maps().create({ metadata: { ...key(one), ...metadata }, data: { a: '1' } });
    before(async () => {
      subject = await start();
    });
    after(() => subject.close());

    it('creates once, with a uid and a resourceVersion', async () => {
      const { metadata, data } = await create('once');
      assert.deepEqual([metadata.name, metadata.namespace, data], ['once', 'default', { a: '1' }]);
      assert.ok(metadata.uid && Number(metadata.resourceVersion) > 0);
      assert.equal(await failureOf(create('once')), '409 AlreadyExists');
      assert.equal((await maps().get(key('once'))).metadata.uid, metadata.uid);
    });
    it('makes names of generateName', async () => {
      const { metadata } = await maps().create({ metadata: { namespace: 'default', generateName: 'made-' } });
      assert.match(metadata.name ?? '', /^made-.{5}$/);
    });
    it('finds nothing where nothing is', async () => {
      assert.equal(await failureOf(maps().get(key('none'))), '404 NotFound');
      assert.equal(await failureOf(maps().delete(key('none'))), '404 NotFound');
      assert.equal(await failureOf(maps().patch(key('none'), { type: 'merge', body: {} })), '404 NotFound');
      assert.equal(await failureOf(maps().update({ metadata: { ...key('none'), resourceVersion: '1' } })), '404 NotFound');
    });
    it('updates upon the newest version only', async () => {
      const created = await create('updated');
      const updated = await maps().update({ ...created, data: { a: '2' } });
      assert.ok(Number(updated.metadata.resourceVersion) > Number(created.metadata.resourceVersion));
      assert.equal(updated.metadata.uid, created.metadata.uid);
      assert.equal(await failureOf(maps().update({ ...created, data: { a: '3' } })), '409 Conflict');
      assert.deepEqual((await maps().get(key('updated'))).data, { a: '2' });
    });
    it('merges patches, null takes away', async () => {
      await create('patched');
      const { data } = await maps().patch(key('patched'), { type: 'merge', body: { data: { a: null, b: '2' } } });
      assert.deepEqual(data, { b: '2' });
    });
    it('keeps what has finalizers until they are taken off', async () => {
      await create('kept', { finalizers: ['example.com/a'] });
      await maps().delete(key('kept'));
      const going = await maps().get(key('kept'));
      assert.ok(going.metadata.deletionTimestamp);
      await maps().patch(key('kept'), { type: 'merge', body: { metadata: { finalizers: null } } });
      assert.equal(await failureOf(maps().get(key('kept'))), '404 NotFound');
    });
    it('keeps status and the rest apart', async () => {
      const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
      const spec: NonNullable<Deployment['spec']> = { replicas: 1, selector: { matchLabels: { app: 'a' } }, template };
      const all = subject.client(deployments);
      const created = await all.create({ metadata: key('apart'), spec });
      const withStatus = await all.updateStatus({ ...created, spec: { ...spec, replicas: 5 }, status: { replicas: 1 } });
      assert.deepEqual([withStatus.spec?.replicas, withStatus.status?.replicas], [1, 1]);
      const scaled = await all.update({ ...withStatus, spec: { ...withStatus.spec, ...spec, replicas: 2 }, status: { replicas: 9 } });
      assert.deepEqual([scaled.spec?.replicas, scaled.status?.replicas], [2, 1]);
    });
    it('lists a namespace or all, at a version from which a watch goes on without gap or repetition', async () => {
      await maps()
        .create({ metadata: { namespace: 'other', name: 'listed' } })
        .catch(() => undefined);
      await create('listed');
      const list = await maps().list({ namespace: 'default' });
      assert.ok(list.items.some(({ metadata }) => metadata.name === 'listed'));
      assert.ok(list.items.every(({ metadata }) => metadata.namespace === 'default'));
      const later = await create('later');
      await maps().patch(key('later'), { type: 'merge', body: { data: { a: '2' } } });
      await maps().delete(key('later'));
      const stop = new AbortController();
      const { resourceVersion } = list.metadata;
      const watch = maps().watch({ namespace: 'default', ...(resourceVersion ? { resourceVersion } : {}), signal: stop.signal });
      const events = await take(3, watch, { withinSeconds: 10, clock: systemClock });
      stop.abort();
      assert.deepEqual(
        events.map(({ type, object }) => `${type} ${object.metadata.name}`),
        ['ADDED later', 'MODIFIED later', 'DELETED later'],
      );
      assert.equal(events[0]?.object.metadata.resourceVersion, later.metadata.resourceVersion);
      const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
      assert.deepEqual(
        versions,
        [...versions].sort((a, b) => a - b),
      );
      assert.equal(new Set(versions).size, 3);
    });
  });
}
