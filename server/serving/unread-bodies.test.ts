import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import { PassThrough } from 'node:stream';
import { silentLogger } from '../../api/base/logger.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { StatusError } from '../../api/meta/status.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../apiserver/testing/start-api-server.ts';
import { clientCertificate, type KeyPairPEM, serverCertificate } from '../pki/certificate-spec.ts';
import { makeCertificate } from '../pki/make-certificate.ts';
import { createBodyMemory } from './body-memory.ts';
import { createIncomingBody } from './incoming-body.ts';
import { serve, type ServingEndpoint } from './serve.ts';

const MiB = 1024 * 1024;

describe('bodies that are not read', function () {
  this.timeout(60_000);
  const making = { clock: systemClock, random: systemRandom };
  let server: TestAPIServer;
  let endpoint: ServingEndpoint;
  let admin: KeyPairPEM;

  before(async () => {
    server = await startAPIServerInProcess();
    const names = { clusterDomain: 'cluster.local', serviceAddresses: ['10.96.0.1'], hostNames: [], addresses: [] };
    const certificate = await makeCertificate(serverCertificate(names), server.clusterCA, making);
    admin = await makeCertificate(clientCertificate('kubernetes-admin', ['system:masters']), server.clusterCA, making);
    endpoint = await serve({
      transport: server.transport,
      host: '127.0.0.1',
      port: 0,
      certificate,
      clientCAsPEM: [server.clusterCA.certificatePEM],
      clock: systemClock,
      logger: silentLogger,
      bodyMemory: { totalBytes: 2 * MiB, userBytes: MiB, freeBytes: 32 * 1024 },
      connections: { total: 60, perAddress: 60 },
    });
  });
  after(async () => {
    await Promise.all([server.close(), endpoint.close(0)]);
  });

  /** Sends a head that promises `length` bytes, and so many of them as are given. */
  function begin(path: string, length: number, first: Buffer, pair?: KeyPairPEM, keepsAlive = false) {
    const request = https.request({
      host: '127.0.0.1',
      port: endpoint.port,
      path,
      method: 'POST',
      ca: server.clusterCA.certificatePEM,
      ...(pair ? { cert: pair.certificatePEM, key: pair.keyPEM } : {}),
      checkServerIdentity: () => undefined,
      agent: keepsAlive ? new https.Agent({ keepAlive: true }) : false,
      headers: { 'content-type': 'application/json', 'content-length': length },
    });
    request.on('error', () => {});
    request.write(first);
    return {
      request,
      answered: once(request, 'response').then(async ([response]) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        return { status: response.statusCode as number, headers: response.headers, text };
      }),
    };
  }

  for (const [path, status] of [
    ['/x/proxy', 403],
    ['/api/v1/namespaces/default/pods', 403],
    ['/api/v1/namespaces/default/services/a/proxy/x', 403],
  ] as const) {
    it(`are not waited for where their sender is not known: ${path}`, async () => {
      const { request, answered } = begin(path, 31 * MiB, Buffer.alloc(1024));
      assert.equal((await answered).status, status);
      request.destroy();
    });
  }

  it('take no memory before they are wanted', async () => {
    const kept = () => process.memoryUsage().arrayBuffers;
    const before = kept();
    const all = Array.from({ length: 40 }, () => begin('/x/proxy', 31 * MiB, Buffer.alloc(256 * 1024)));
    await Promise.all(all.map(({ answered }) => answered));
    // The clients are in this process too, and hold what they have not sent.
    assert.ok(kept() - before < 40 * MiB, `${((kept() - before) / MiB).toFixed(0)} MiB`);
    for (const { request } of all) request.destroy();
  });

  it('of one user take no more than his share together, and small ones are read nevertheless', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const begun = begin(path, 900 * 1024, Buffer.alloc(899 * 1024, ' '), admin);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { status, headers, text } = await begin(path, 900 * 1024, Buffer.alloc(900 * 1024, ' '), admin).answered;
    assert.deepEqual([status, headers['retry-after']], [429, '1'], text);
    assert.match(text, /"Too many requests, please try again later\."/);
    const small = Buffer.from(JSON.stringify({ metadata: { name: 'small' } }));
    assert.equal((await begin(path, small.length, small, admin).answered).status, 201);
    begun.request.end(Buffer.alloc(1024, ' '));
    assert.equal((await begun.answered).status, 400);
    assert.notEqual((await begin(path, 900 * 1024, Buffer.alloc(900 * 1024, ' '), admin).answered).status, 429);
  });

  it('of requests that have run out of time give their memory back', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    for (let round = 0; round < 3; round++) {
      const late = begin(`${path}?timeout=300ms`, 600 * 1024, Buffer.alloc(100 * 1024, ' '), admin, true);
      assert.equal((await late.answered).status, 504);
      late.request.write(Buffer.alloc(499 * 1024, ' '));
      await new Promise((resolve) => setTimeout(resolve, 200));
      late.request.destroy();
    }
    assert.notEqual((await begin(path, 900 * 1024, Buffer.alloc(900 * 1024, ' '), admin).answered).status, 429);
  });

  it('have to come in time', async () => {
    const clock = createManualClock();
    const memory = createBodyMemory();
    const timedOut = (error: unknown) => error instanceof StatusError && error.status.code === 408;
    const silent = createIncomingBody(new PassThrough(), { declaredLength: undefined, memory, clock });
    const refused = assert.rejects(silent.read(MiB, 'a'), timedOut);
    await clock.advance(31_000);
    await refused;
    const stream = new PassThrough();
    const slow = createIncomingBody(stream, { declaredLength: '1000', memory, clock });
    let isRefused = false;
    const late = assert.rejects(slow.read(MiB, 'a'), timedOut).then(() => (isRefused = true));
    for (let second = 0; second < 70 && !isRefused; second++) {
      stream.write('x');
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(1000);
    }
    await late;
  });

  it('are not read any more once their request is over', async () => {
    const clock = createManualClock();
    const memory = createBodyMemory({ totalBytes: 100, userBytes: 100, freeBytes: 0 });
    const timedOut = (error: unknown) => error instanceof StatusError && error.status.code === 408;
    const [before, after] = [new PassThrough(), new PassThrough()];
    const early = createIncomingBody(before, { declaredLength: '80', memory, clock });
    const refused = assert.rejects(early.read(MiB, 'a'), timedOut);
    before.write(Buffer.alloc(60));
    await new Promise((resolve) => setImmediate(resolve));
    early.release();
    await refused;
    before.end(Buffer.alloc(20));
    const late = createIncomingBody(after, { declaredLength: '80', memory, clock });
    late.release();
    await assert.rejects(late.read(MiB, 'a'), timedOut);
    after.end(Buffer.alloc(80));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(memory.open('a').take(100), true);
  });

  it('come over a bounded number of connections', async () => {
    const sockets = Array.from({ length: 70 }, () => net.connect(endpoint.port, '127.0.0.1'));
    const closed = await Promise.all(
      sockets.map((socket) =>
        Promise.race([
          once(
            socket.on('error', () => {}),
            'close',
          ).then(() => 1),
          new Promise<number>((resolve) => setTimeout(() => resolve(0), 1000)),
        ]),
      ),
    );
    assert.ok(closed.reduce((sum, one) => sum + one, 0) >= 10);
    for (const socket of sockets) socket.destroy();
  });
});

describe('memory for bodies', () => {
  it('is shared by users, gives each body something for free, and is given back once', () => {
    const memory = createBodyMemory({ totalBytes: 100, userBytes: 60, freeBytes: 10 });
    const [a, b, c, d] = [memory.open('a'), memory.open('a'), memory.open('b'), memory.open('c')];
    assert.equal(a.take(70), true);
    assert.equal(b.take(11), false, 'its user has what one user may have');
    assert.equal(memory.open('a').take(10), true);
    assert.equal(c.take(50), true);
    assert.equal(d.take(11), false, 'there is no more');
    a.release();
    a.release();
    assert.equal(a.take(1), false, 'nobody would give it back');
    assert.equal(b.take(20), true);
    assert.equal(d.take(20), true);
    b.release();
    c.release();
    d.release();
    assert.equal(memory.open('x').take(70), true);
  });

  it('of a client that has gone before anybody read them are cut off', async () => {
    const memory = createBodyMemory();
    for (const leave of [(request: PassThrough) => request.resume().end(), (request: PassThrough) => request.destroy()]) {
      const request = new PassThrough();
      leave(request);
      await once(request, 'close');
      const body = createIncomingBody(request, { declaredLength: '367', memory, clock: createManualClock() });
      await assert.rejects(body.read(MiB, 'jane'), { code: 400, message: 'unexpected EOF' });
    }
  });
});
