import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock, type ManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import { StorageError } from '../storage.ts';
import { encryptStorage } from './encrypted-storage.ts';
import { createKMSProvider, type KMSProvider } from './kms.ts';
import { connectKMS } from './kms-service.ts';
import { KMSPlugin } from './testing/kms-plugin.ts';
import { chooseByPrefix } from './transformer.ts';

const place = '/registry/secrets/default/s';
describe('KMS v2', () => {
  let directory: string;
  let plugin: KMSPlugin;
  let clock: ManualClock;
  let stop: AbortController;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'kubets-kms-'));
    plugin = new KMSPlugin();
    await plugin.listen(`${directory}/kms.sock`);
    clock = createManualClock();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    plugin.stop();
    await rm(directory, { recursive: true });
  });
  const provider = async (): Promise<KMSProvider> => {
    // Deadlines of calls are in the time of the machine.
    const service = connectKMS({ socket: `${directory}/kms.sock`, timeoutMs: 3000 }, systemClock);
    const created = createKMSProvider({ name: 'p', service, clock, logger: silentLogger });
    stop.signal.addEventListener('abort', () => service.close(), { once: true });
    await created.start();
    return created;
  };
  /** Lets the provider look at its plugin again, which answers in the time of the machine. */
  const afterMinute = async (look: () => boolean) => {
    await clock.advance(60_000);
    for (let turn = 0; turn < 500 && !look(); turn++) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('asks once for a seed, and reads after a restart by asking once', async () => {
    const first = await provider();
    const values = Array.from({ length: 20 }, (_, index) => Buffer.from(`value ${index}`));
    const kept = await Promise.all(values.map((value) => first.encrypt(value, place)));
    assert.deepEqual(plugin.asked, { encrypt: 1, decrypt: 0 });
    for (const [index, stored] of kept.entries())
      assert.deepEqual(await first.decrypt(stored, place), { value: values[index], isStale: false });
    const second = await provider();
    for (const [index, stored] of kept.entries())
      assert.deepEqual(await second.decrypt(stored, place), { value: values[index], isStale: false });
    assert.deepEqual(plugin.asked, { encrypt: 2, decrypt: 1 });
    await assert.rejects(async () => await second.decrypt(kept[0] ?? Buffer.alloc(0), `${place}2`));
  });
  it('takes a new key when the plugin has one, and knows what the old one has written', async () => {
    const one = await provider();
    const old = await one.encrypt(Buffer.from('x'), place);
    void one.run(stop.signal);
    plugin.keys.set('two', randomBytes(32));
    plugin.keyID = 'two';
    await clock.advance(60_000);
    // The plugin counts a question before the provider has read its answer.
    await waitFor('the new key', async () => (await one.decrypt(old, place)).isStale, { withinSeconds: 15, clock: systemClock });
    assert.equal(plugin.asked.encrypt, 2);
    assert.deepEqual(await one.decrypt(old, place), { value: Buffer.from('x'), isStale: true });
    assert.equal((await one.decrypt(await one.encrypt(Buffer.from('y'), place), place)).isStale, false);
  });
  it('goes on for a while without its plugin, and then writes nothing more', async () => {
    const one = await provider();
    const kept = await one.encrypt(Buffer.from('x'), place);
    plugin.stop();
    await clock.advance(179_000);
    await one.encrypt(Buffer.from('y'), place);
    await clock.advance(2000);
    await assert.rejects(async () => await one.encrypt(Buffer.from('z'), place), /may not be used for writes any more/);
    assert.deepEqual((await one.decrypt(kept, place)).value, Buffer.from('x'));
  });
  it('says how its plugin is', async () => {
    const one = await provider();
    one.checkHealth();
    void one.run(stop.signal);
    plugin.healthz = 'the vault is sealed';
    const fails = () => {
      try {
        one.checkHealth();
        return false;
      } catch {
        return true;
      }
    };
    await afterMinute(fails);
    assert.throws(() => one.checkHealth(), /KMS provider p: got unexpected healthz status: the vault is sealed/);
  });
  it('that gives no answer for a moment leaves nothing damaged', async () => {
    const inner = createMemoryStorage({ clock: systemClock });
    const [one, two] = [await provider(), await provider()];
    const storageOf = (of: KMSProvider) =>
      encryptStorage(inner, { find: () => chooseByPrefix([of]), clock: systemClock, logger: silentLogger });
    await storageOf(one).commit({ conditions: [], operations: [{ type: 'put', key: place, value: Buffer.from('x') }] });
    const reading = storageOf(two);
    const unavailable = (error: unknown) => error instanceof StorageError && error.reason === 'unavailable';
    plugin.decrypts = (callback) => callback(Object.assign(new Error('overloaded'), { code: status.UNAVAILABLE }));
    await assert.rejects(reading.get(place), unavailable);
    await assert.rejects(reading.range({ start: place, end: `${place}\0` }), unavailable);
    await assert.rejects(async () => {
      const range = { start: place, end: `${place}\0`, afterRevision: 0, signal: stop.signal };
      for await (const batch of reading.watch(range)) if (batch.events.length > 0) return;
    }, unavailable);
    plugin.decrypts = undefined;
    assert.equal(Buffer.from((await reading.get(place)).entry?.value ?? []).toString(), 'x');
  });
  it('is not believed when it answers what can be no key', async () => {
    const [one, two] = [await provider(), await provider()];
    const kept = await one.encrypt(Buffer.from('x'), place);
    for (const plaintext of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(1000)]) {
      plugin.decrypts = (callback) => callback(null, { plaintext });
      await assert.rejects(async () => await two.decrypt(kept, place), /bytes for a key of 32/);
    }
    plugin.decrypts = undefined;
    assert.deepEqual((await two.decrypt(kept, place)).value, Buffer.from('x'));
  });
  it('does not start without its plugin', async () => {
    plugin.stop();
    await assert.rejects(provider(), /KMS provider p: /);
  });
});
