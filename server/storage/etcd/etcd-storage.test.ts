import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { makeAuthority, makeCertificate } from '../../pki/make-certificate.ts';
import { prefixEnd } from '../storage.ts';
import type { EtcdProcess } from '../testing/etcd-process.ts';
import { startEtcd } from '../testing/etcd-process.ts';
import { put, rejectsWith } from '../testing/storage-assertions.ts';
import { describeStorage } from '../testing/storage-suite.ts';
import { collect } from '../testing/watch-suite.ts';
import { connectEtcdStorage } from './etcd-storage.ts';
import type { EtcdTLS } from './etcd-tls.ts';

const connect = (endpoints: readonly string[]) => connectEtcdStorage({ endpoints, clock: systemClock, logger: silentLogger });

describeStorage('etcd', async () => {
  const etcd = await startEtcd();
  const storage = await connect([etcd.endpoint]);
  return {
    storage,
    elapse: async () => undefined, // etcd has a clock of its own
    async dispose() {
      await storage.close();
      await etcd.dispose();
    },
  };
});

describe('etcd storage over failures', function () {
  this.timeout(60_000);
  let etcd: EtcdProcess;
  beforeEach(async () => {
    etcd = await startEtcd();
  });
  afterEach(() => etcd.dispose());

  it('resumes a watch without gap or repetition while etcd is killed and started again', async () => {
    const storage = await connect([etcd.endpoint]);
    const start = await storage.currentRevision();
    const total = 4000;
    const written: number[] = [];
    const write = async (writer: number) => {
      for (let count = 0; written.length < total; count++) {
        try {
          written.push(await put(storage, `/registry/x/${writer}`, String(count)));
        } catch {
          // cut: whether it was done shows in the events
        }
      }
    };
    const marker = '/registry/x/end';
    const watched = collect(storage, '/registry/x/', start, total).then((events) => events.map((event) => event.revision));
    const writing = Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
    for (const share of [0.3, 0.6]) {
      while (written.length < total * share) await storage.currentRevision();
      await etcd.kill();
      await etcd.start();
    }
    await writing;
    const end = await put(storage, marker, 'x');
    const revisions = await watched;
    assert.deepEqual(
      revisions,
      Array.from({ length: revisions.length }, (_, at) => start + 1 + at),
    );
    const seen = await collect(storage, '/registry/x/', start, end - start);
    assert.equal(seen.length, end - start);
    const all = new Set(seen.map((event) => event.revision));
    for (const revision of written) assert.ok(all.has(revision));
    await storage.close();
  });

  it('goes on with another endpoint when one does not answer', async () => {
    const storage = await connect(['http://127.0.0.1:1', etcd.endpoint]);
    assert.equal(await put(storage, '/registry/a', 'x'), 2);
    await storage.close();
  });

  it('reads through a restart of etcd', async () => {
    const storage = await connect([etcd.endpoint]);
    await put(storage, '/registry/a', 'x');
    await etcd.kill();
    const reading = storage.get('/registry/a');
    await etcd.start();
    assert.equal((await reading).entry?.modRevision, 2);
    await storage.close();
  });

  it('tells of progress without being sent an event', async () => {
    const storage = await connect([etcd.endpoint]);
    const abort = new AbortController();
    const afterRevision = await put(storage, '/registry/a', 'x');
    const options = { start: '/registry/b/', end: prefixEnd('/registry/b/'), afterRevision, signal: abort.signal };
    const reached = (async () => {
      for await (const batch of storage.watch(options)) if (batch.revision > afterRevision) return batch;
      return undefined;
    })();
    const revision = await put(storage, '/registry/a', 'y');
    await storage.currentRevision();
    assert.deepEqual(await reached, { events: [], revision });
    await storage.close();
  });

  it('follows a revision of more than one message', async () => {
    const storage = await connect([etcd.endpoint]);
    const value = new Uint8Array(700_000);
    const keys = ['a', 'b'].map((name) => `/registry/x/${name}`);
    for (let round = 0; round < 4; round++)
      await storage.commit({ conditions: [], operations: keys.map((key) => ({ type: 'put', key, value })) });
    const events = await collect(storage, '/registry/x/', 1, 8);
    assert.deepEqual(events.map((event) => [event.revision, event.entry?.value.length, event.previous?.value.length]).slice(0, 3), [
      [2, 700_000, undefined],
      [2, 700_000, undefined],
      [3, 700_000, 700_000],
    ]);
    await storage.close();
  });

  it('does not ask for what stood there before where nobody wants it', async () => {
    const storage = await connect([etcd.endpoint]);
    for (const value of ['x', 'y']) await put(storage, '/registry/z', value);
    const abort = new AbortController();
    const options = { start: '/registry/', end: prefixEnd('/registry/'), afterRevision: 1, wantsPrevious: false, signal: abort.signal };
    const events: (string | undefined)[] = [];
    for await (const batch of storage.watch(options)) {
      for (const { entry, previous } of batch.events) events.push(entry && Buffer.from(entry.value).toString(), previous?.key);
      if (events.length >= 4) break;
    }
    abort.abort();
    assert.deepEqual(events, ['x', undefined, 'y', undefined]);
    await storage.close();
  });

  it('speaks TLS, with a certificate of its own where etcd asks for one', async () => {
    const { settings, tls } = await makeTLS();
    const secure = await startEtcd({ scheme: 'https', settings });
    try {
      const options = { endpoints: [secure.endpoint], clock: systemClock, logger: silentLogger, operationTimeoutMs: 5000 };
      const storage = await connectEtcdStorage({ ...options, tls });
      const revision = await put(storage, '/registry/a', 'x');
      assert.equal((await collect(storage, '/registry/', 1, 1))[0]?.revision, revision);
      await storage.close();
      await rejectsWith('unavailable', () =>
        connectEtcdStorage({ ...options, operationTimeoutMs: 500, tls: { certificateAuthority: tls.certificateAuthority } }),
      );
    } finally {
      await secure.dispose();
    }
  });

  it('says so when etcd has no space left', async () => {
    const small = await startEtcd({ settings: { 'quota-backend-bytes': '2000000' } });
    try {
      const storage = await connect([small.endpoint]);
      await storage.checkHealth(AbortSignal.timeout(5000));
      const value = new Uint8Array(500_000);
      await rejectsWith('no-space', async () => {
        // etcd counts what it has committed to disk, which it does ten times a second.
        for (let write = 0; write < 400; write++)
          await storage.commit({ conditions: [], operations: [{ type: 'put', key: `/registry/${write}`, value }] });
      });
      await rejectsWith('no-space', () => storage.checkHealth(AbortSignal.timeout(5000)));
      await storage.close();
    } finally {
      await small.dispose();
    }
  });

  it('says what is wrong when there is no etcd', async () => {
    const error = await rejectsWith('unavailable', () =>
      connectEtcdStorage({ endpoints: ['http://127.0.0.1:1'], clock: systemClock, logger: silentLogger, operationTimeoutMs: 500 }),
    );
    assert.match(error.message, /ECONNREFUSED/);
  });

  it('writes while watches are opened and closed, small and large, on one connection', async () => {
    const storage = await connect([etcd.endpoint]);
    const afterRevision = await storage.currentRevision();
    const write = async (writer: number) => {
      for (let count = 0; count < 20; count++) await put(storage, `/registry/x/${writer}`, 'x'.repeat((writer * count * 793) % 60_000));
    };
    const follow = async () => {
      for (let count = 0; count < 10; count++) assert.ok((await collect(storage, '/registry/x/', afterRevision, 5)).length >= 5);
    };
    await Promise.all([...Array.from({ length: 16 }, (_, writer) => write(writer)), follow(), follow(), follow()]);
    assert.equal((await collect(storage, '/registry/x/', afterRevision, 16 * 20)).length, 16 * 20);
    await storage.close();
  });

  it('ends its watches when it is closed', async () => {
    const storage = await connect([etcd.endpoint]);
    const watching = rejectsWith('closed', () => collect(storage, '/registry/', 1, 1));
    await storage.currentRevision();
    await storage.close();
    await watching;
  });
});

async function makeTLS(): Promise<{ settings: Record<string, string>; tls: EtcdTLS }> {
  const directory = await mkdtemp(join(tmpdir(), 'kubets-etcd-tls-'));
  after(() => rm(directory, { recursive: true }));
  const dependencies = { clock: systemClock, random: systemRandom };
  const authority = await makeAuthority('etcd-ca', dependencies);
  const issue = (commonName: string, usages: readonly ('server' | 'client')[]) =>
    makeCertificate({ commonName, usages, addresses: ['127.0.0.1'], validityDays: 1 }, authority, dependencies);
  const server = await issue('etcd', ['server', 'client']);
  const client = await issue('kubets', ['client']);
  const write = async (name: string, text: string) => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  const settings = {
    'cert-file': await write('server.crt', server.certificatePEM),
    'key-file': await write('server.key', server.keyPEM),
    'trusted-ca-file': await write('ca.crt', authority.certificatePEM),
    'client-cert-auth': 'true',
  };
  const tls = {
    certificateAuthority: Buffer.from(authority.certificatePEM),
    certificate: Buffer.from(client.certificatePEM),
    key: Buffer.from(client.keyPEM),
  };
  return { settings, tls };
}
