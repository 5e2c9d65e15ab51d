import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { createAPICaller } from '../../apiserver/testing/api-caller.ts';
import { startAPIServerInProcess } from '../../apiserver/testing/start-api-server.ts';
import { createMemoryStorage } from '../memory/memory-storage.ts';
import { parseEncryptionConfiguration } from './configuration.ts';
import { createEncryption } from './create-encryption.ts';
import { encryptStorage } from './encrypted-storage.ts';

const secrets = '/api/v1/namespaces/default/secrets';
const keyOf = (kind: string, fill: number) => ({ [kind]: { keys: [{ name: 'key1', secret: Buffer.alloc(32, fill).toString('base64') }] } });

describe('an API server whose Secrets are encrypted', () => {
  const inner = createMemoryStorage({ clock: systemClock });
  const serve = async (...providers: readonly object[]) => {
    const document = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [{ resources: ['secrets'], providers }],
    };
    const definitions = catalog.filter(({ storageVersion }) => storageVersion === undefined);
    const { find } = createEncryption(parseEncryptionConfiguration(document), { definitions, clock: systemClock, logger: silentLogger });
    return await startAPIServerInProcess({ storage: encryptStorage(inner, { find, clock: systemClock, logger: silentLogger }) });
  };
  const kept = async () => Buffer.from((await inner.get('/registry/secrets/default/s')).entry?.value ?? []).toString('latin1');

  it('reads what older keys have written, and a replace without change writes it with the newest', async () => {
    const before = await serve(keyOf('aesgcm', 1));
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 'top' } };
    const { body: created } = await createAPICaller(before.transport).post(secrets, body);
    await before.closeServer();
    assert.match(await kept(), /^k8s:enc:aesgcm:v1:key1:/);

    const after = await serve(keyOf('secretbox', 2), keyOf('aesgcm', 1));
    const api = createAPICaller(after.transport);
    const { body: found } = await api.get(`${secrets}/s`);
    assert.deepEqual(found, created);
    await api.put(`${secrets}/s`, found);
    assert.match(await kept(), /^k8s:enc:secretbox:v1:key1:/);
    const { body: rewritten } = await api.get<{ metadata: { resourceVersion: string } }>(`${secrets}/s`);
    await api.put(`${secrets}/s`, rewritten);
    assert.deepEqual((await api.get(`${secrets}/s`)).body, rewritten);
    await after.closeServer();
  });
  it('shows what is damaged, and serves the rest, without the keys', async () => {
    const server = await serve(keyOf('aesgcm', 9));
    const api = createAPICaller(server.transport);
    assert.equal((await api.get(`${secrets}/s`)).status, 500);
    assert.equal((await api.get(secrets)).status, 500);
    assert.equal((await api.get('/api/v1/namespaces')).status, 200);
    await server.closeServer();
  });
});
