import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import type { Storage } from '../storage.ts';
import { describeStorage } from '../testing/storage-suite.ts';
import { parseEncryptionConfiguration } from './configuration.ts';
import { createEncryption } from './create-encryption.ts';
import { encryptStorage } from './encrypted-storage.ts';

const secret = (bytes: number, fill: number) => Buffer.alloc(bytes, fill).toString('base64');
const providers = {
  gcm: { aesgcm: { keys: [{ name: 'key1', secret: secret(32, 1) }] } },
  gcm2: { aesgcm: { keys: [{ name: 'key2', secret: secret(16, 2) }] } },
  cbc: { aescbc: { keys: [{ name: 'key1', secret: secret(24, 3) }] } },
  box: { secretbox: { keys: [{ name: 'key1', secret: secret(32, 4) }] } },
  identity: { identity: {} },
} as const;
type Name = keyof typeof providers;

const documentOf = (...rules: readonly { readonly resources: readonly string[]; readonly providers: readonly object[] }[]) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'EncryptionConfiguration',
  resources: rules,
});
const definitions = catalog.filter(({ storageVersion }) => storageVersion === undefined);
const findWith = (document: object) =>
  createEncryption(parseEncryptionConfiguration(document), { definitions, clock: systemClock, logger: silentLogger }).find;
const over = (inner: Storage, ...names: readonly Name[]) =>
  encryptStorage(inner, {
    find: findWith(documentOf({ resources: ['secrets'], providers: names.map((name) => providers[name]) })),
    clock: systemClock,
    logger: silentLogger,
  });
const key = '/registry/secrets/default/s';
const put = (storage: Storage, value: string, place = key) =>
  storage.commit({ conditions: [], operations: [{ type: 'put', key: place, value: Buffer.from(value) }] });
const read = async (storage: Storage, place = key) => Buffer.from((await storage.get(place)).entry?.value ?? []).toString();

for (const [name, provider] of Object.entries(providers))
  describeStorage(`encrypted with ${name}`, async () => {
    const transformer = findWith(documentOf({ resources: ['*.*'], providers: [provider] }))(key);
    const storage = encryptStorage(createMemoryStorage({ clock: systemClock }), {
      find: () => transformer,
      clock: systemClock,
      logger: silentLogger,
    });
    return { storage, elapse: async () => {}, dispose: () => storage.close() };
  });

describe('encryption at rest', () => {
  for (const [name, begins] of [
    ['gcm', 'k8s:enc:aesgcm:v1:key1:'],
    ['cbc', 'k8s:enc:aescbc:v1:key1:'],
    ['box', 'k8s:enc:secretbox:v1:key1:'],
    ['identity', '{"kind"'],
  ] as const)
    it(`with ${name} keeps values as ${begins}..., and reads them again`, async () => {
      const inner = createMemoryStorage({ clock: systemClock });
      const storage = over(inner, name);
      await put(storage, '{"kind":"Secret","data":"top"}');
      const kept = await read(inner);
      assert.ok(kept.startsWith(begins), kept.slice(0, 40));
      assert.equal(kept.includes('top'), name === 'identity');
      assert.equal(await read(storage), '{"kind":"Secret","data":"top"}');
      await put(storage, '{}', '/registry/configmaps/default/c');
      assert.equal(await read(inner, '/registry/configmaps/default/c'), '{}');
    });

  it('reads what any provider of its list has written, and says what is stale', async () => {
    const inner = createMemoryStorage({ clock: systemClock });
    for (const name of ['identity', 'cbc', 'gcm', 'box'] as const) await put(over(inner, name), name, `${key}-${name}`);
    const storage = over(inner, 'gcm', 'box', 'cbc', 'identity');
    for (const name of ['identity', 'cbc', 'gcm', 'box'] as const) {
      assert.equal(await read(storage, `${key}-${name}`), name);
      assert.equal(await storage.isStale?.(`${key}-${name}`), name !== 'gcm', name);
    }
  });
  it('hands on what it cannot decrypt as it is, so that the rest can be read', async () => {
    const inner = createMemoryStorage({ clock: systemClock });
    await put(over(inner, 'gcm'), 'x');
    for (const names of [['gcm2'], ['identity'], ['box', 'identity']] as Name[][])
      assert.ok((await read(over(inner, ...names))).startsWith('k8s:enc:aesgcm:v1:key1:'), names.join());
    await put(over(inner, 'identity'), 'plain');
    assert.equal(await read(over(inner, 'gcm', 'identity')), 'plain');
  });
  it('does not read a value in the place of another, nor a changed one', async () => {
    const inner = createMemoryStorage({ clock: systemClock });
    const storage = over(inner, 'gcm');
    await put(storage, 'mine');
    const { entry } = await inner.get(key);
    const value = Buffer.from(entry?.value ?? []);
    await inner.commit({ conditions: [], operations: [{ type: 'put', key: `${key}2`, value }] });
    assert.notEqual(await read(storage, `${key}2`), 'mine');
    for (let at = 'k8s:enc:aesgcm:v1:key1:'.length; at < value.length; at++) {
      const changed = Buffer.from(value);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await inner.commit({ conditions: [], operations: [{ type: 'put', key, value: changed }] });
      assert.notEqual(await read(storage), 'mine', `byte ${at}`);
    }
  });
  it('keeps any bytes with every provider', async () => {
    const storages = (Object.keys(providers) as Name[]).map((name) => over(createMemoryStorage({ clock: systemClock }), name));
    for (let length = 0; length < 70; length++)
      for (const storage of storages) {
        const value = Buffer.from(randomBytes(length).map((byte) => byte | 1));
        await storage.commit({ conditions: [], operations: [{ type: 'put', key, value }] });
        assert.deepEqual(Buffer.from((await storage.get(key)).entry?.value ?? []), value);
      }
  });

  const rules = documentOf(
    { resources: ['events'], providers: [providers.identity] },
    { resources: ['secrets', 'pandas.bears.example'], providers: [providers.gcm] },
    { resources: ['*.apps'], providers: [providers.cbc] },
    { resources: ['*.'], providers: [providers.box] },
  );
  const places: [place: string, begins: string][] = [
    ['/registry/events/default/e', 'x'],
    ['/registry/secrets/default/s', 'k8s:enc:aesgcm'],
    ['/registry/bears.example/pandas/default/p', 'k8s:enc:aesgcm'],
    ['/registry/bears.example/grizzlies/default/p', 'x'],
    ['/registry/deployments/default/d', 'k8s:enc:aescbc'],
    ['/registry/configmaps/default/c', 'k8s:enc:secretbox'],
    ['/registry/services/specs/default/s', 'k8s:enc:secretbox'],
    ['/registry/minions/n', 'k8s:enc:secretbox'],
    ['/registry/jobs/default/j', 'x'],
    ['/registry/ranges/serviceips', 'x'],
    ['/registry/masterleases/1.2.3.4', 'x'],
  ];
  for (const [place, begins] of places)
    it(`keeps ${place} as ${begins}`, async () => {
      const inner = createMemoryStorage({ clock: systemClock });
      await put(encryptStorage(inner, { find: findWith(rules), clock: systemClock, logger: silentLogger }), 'x', place);
      assert.ok((await read(inner, place)).startsWith(begins), await read(inner, place));
    });

  const wrong: [what: string, document: object, message: RegExp][] = [
    ['nothing', documentOf(), /resources: Required value/],
    ['an unknown field', { ...documentOf(), rules: [] }, /it has the unknown field "rules"/],
    ['no provider', documentOf({ resources: ['secrets'], providers: [] }), /resources\[0\]\.providers: Required value/],
    [
      'two in one',
      documentOf({ resources: ['secrets'], providers: [{ ...providers.gcm, ...providers.box }] }),
      /more than one provider specified in a single element/,
    ],
    [
      'a short key',
      documentOf({ resources: ['secrets'], providers: [{ secretbox: { keys: [{ name: 'a', secret: secret(16, 1) }] } }] }),
      /keys\[0\]\.secret: Invalid value: "REDACTED": secret is not of the expected length, got 16, expected one of \[32\]/,
    ],
    [
      'no base64',
      documentOf({ resources: ['secrets'], providers: [{ aescbc: { keys: [{ name: 'a', secret: 'not so' }] } }] }),
      /"REDACTED": secrets must be base64 encoded/,
    ],
    ['a masked resource', documentOf({ resources: ['secrets', '*.'], providers: [providers.gcm] }), /overlapping resources/],
    ['a star', documentOf({ resources: ['*'], providers: [providers.gcm] }), /use '\*\.' to encrypt all the resources from core API group/],
    ['events.k8s.io', documentOf({ resources: ['events.events.k8s.io'], providers: [providers.gcm] }), /Use 'events' instead/],
    ['KMS v1', documentOf({ resources: ['secrets'], providers: [{ kms: { name: 'a', endpoint: 'unix:///a' } }] }), /only v2 is supported/],
    [
      'KMS over TCP',
      documentOf({ resources: ['secrets'], providers: [{ kms: { apiVersion: 'v2', name: 'a', endpoint: 'tcp://a' } }] }),
      /only unix is supported/,
    ],
  ];
  for (const [what, document, message] of wrong)
    it(`refuses ${what}`, () => assert.throws(() => parseEncryptionConfiguration(document), message));
  it('never shows a secret', () => {
    const bad = documentOf({ resources: ['secrets'], providers: [{ aesgcm: { keys: [{ name: 'a', secret: 'SECRETSECRET' }] } }] });
    assert.throws(
      () => parseEncryptionConfiguration(bad),
      (error: Error) => !error.message.includes('SECRETSECRET'),
    );
  });
});
