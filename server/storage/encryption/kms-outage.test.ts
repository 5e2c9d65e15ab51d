import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { type APICaller, createAPICaller } from '../../apiserver/testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../../apiserver/testing/start-api-server.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import type { Storage } from '../storage.ts';
import { encryptStorage } from './encrypted-storage.ts';
import { createKMSProvider } from './kms.ts';
import { connectKMS } from './kms-service.ts';
import { KMSPlugin } from './testing/kms-plugin.ts';
import { chooseByPrefix } from './transformer.ts';

const secrets = '/api/v1/namespaces/default/secrets';
const maps = '/api/v1/namespaces/default/configmaps';
const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { password: name } });
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const within = { withinSeconds: 40, everyMs: 20, clock: systemClock, signal: new AbortController().signal };
const outages: readonly [what: string, decrypts: NonNullable<KMSPlugin['decrypts']>][] = [
  ['refuses to answer', (callback) => callback(Object.assign(new Error('sealed'), { code: status.UNAVAILABLE }))],
  ['does not answer', () => {}],
];

describe('an API server whose KMS plugin is out of order', function () {
  this.timeout(60_000);
  let directory: string;
  let plugin: KMSPlugin;
  let inner: Storage;
  let stop: AbortController;
  let servers: TestAPIServer[];
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'kubets-kms-'));
    plugin = new KMSPlugin();
    await plugin.listen(`${directory}/kms.sock`);
    inner = createMemoryStorage({ clock: systemClock });
    [stop, servers] = [new AbortController(), []];
  });
  afterEach(async () => {
    stop.abort();
    for (const server of servers) await server.closeServer();
    plugin.stop();
    await rm(directory, { recursive: true });
  });
  /** Each server has a seed of its own, which the others must ask the plugin for. */
  const serve = async (): Promise<APICaller> => {
    const service = connectKMS({ socket: `${directory}/kms.sock`, timeoutMs: 3000 }, systemClock);
    stop.signal.addEventListener('abort', () => service.close(), { once: true });
    const provider = createKMSProvider({ name: 'p', service, clock: systemClock, logger: silentLogger });
    await provider.start();
    const transformer = chooseByPrefix([provider]);
    const find = (key: string) => (key.startsWith('/registry/secrets/') ? transformer : undefined);
    const storage = encryptStorage(inner, { find, clock: systemClock, logger: silentLogger });
    const server = await startAPIServerInProcess({ storage });
    servers.push(server);
    return createAPICaller(server.transport);
  };
  const codeOf = async (answer: Promise<{ readonly status: number }>) => (await answer).status;

  for (const [what, decrypts] of outages)
    it(`goes on with what is not encrypted while the plugin ${what}, and with all of it afterwards`, async () => {
      const [one, other] = [await serve(), await serve()];
      const watch = await other.watch(`${maps}?watch=true&resourceVersion=0`);
      assert.equal((await other.get(secrets)).status, 200);
      plugin.decrypts = decrypts;
      await one.post(secrets, secret('a'));
      for (let count = 0; count < 20; count++) {
        await one.post(secrets, secret(`s-${count}`));
        await one.post(maps, map(`m-${count}`));
      }
      for (const names = new Set<string>(); names.size < 20; ) {
        const event = await watch.next();
        names.add((event as unknown as { object: { metadata: { name: string } } }).object.metadata.name);
      }
      assert.equal(await codeOf(other.get(maps)), 200);
      const sealed = await other.get(`${secrets}?resourceVersion=0`);
      assert.equal(sealed.status, 500, sealed.text);
      assert.equal(await codeOf(other.get(`${secrets}/a?resourceVersion=0`)), 500);
      assert.equal(await codeOf(one.get(secrets)), 200);
      plugin.decrypts = undefined;
      await waitFor('Secrets', async () => (await codeOf(other.get(secrets))) === 200, within);
      const { body } = await other.get<{ items: { metadata: { name: string } }[] }>(secrets);
      assert.equal(body.items.length, 21);
      const secretWatch = await other.watch(
        `${secrets}?watch=true&resourceVersion=${String((body as unknown as { metadata: { resourceVersion: string } }).metadata.resourceVersion)}`,
      );
      await one.post(secrets, secret('last'));
      assert.match(JSON.stringify(await secretWatch.next()), /"name":"last"/);
      await secretWatch.stop();
      await watch.stop();
    });

  it('starts, and serves what is not encrypted, when the plugin does not answer at the start', async () => {
    const one = await serve();
    await one.post(secrets, secret('a'));
    await one.post(maps, map('m'));
    plugin.decrypts = (callback) => callback(Object.assign(new Error('sealed'), { code: status.UNAVAILABLE }));
    const other = await serve();
    assert.equal(await codeOf(other.get(`${maps}/m`)), 200);
    assert.equal(await codeOf(other.get(`${secrets}/a`)), 500);
    plugin.decrypts = undefined;
    await waitFor('Secrets', async () => (await codeOf(other.get(`${secrets}/a`))) === 200, within);
  });
});
