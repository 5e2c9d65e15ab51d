import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import tls from 'node:tls';
import { silentLogger } from '../../api/base/logger.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import type { APIResponse, Patience } from '../../api/client/transport.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { serverCertificate } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { serve, type ServingEndpoint } from './serve.ts';
import { type ServedServer, startServedServer } from './testing/start-served-server.ts';

const patienceMs = 100;
const piece = new Uint8Array(100_000);

function closeOf(stream: http2.ClientHttp2Stream): Promise<void> {
  stream.on('error', () => {});
  return new Promise((resolve) => {
    stream.once('close', resolve);
  });
}

describe('an answer whose client does not read', () => {
  let endpoint: ServingEndpoint;
  let patience: Patience;
  let ended: Promise<void>;
  before(async () => {
    const making = { clock: systemClock, random: createSeededRandom(7) };
    const authority = await makeAuthority('kubernetes', making);
    const names = { clusterDomain: 'x', serviceAddresses: [], hostNames: [], addresses: [] };
    const certificate = await makeCertificate(serverCertificate(names), authority, making);
    const transport = async (): Promise<APIResponse> => {
      const end = Promise.withResolvers<void>();
      ended = end.promise;
      async function* zeros() {
        try {
          for (;;) yield piece;
        } finally {
          end.resolve();
        }
      }
      return { status: 200, headers: {}, body: { kind: 'stream', chunks: zeros() }, patience };
    };
    const options = { host: '127.0.0.1', port: 0, certificate, clientCAsPEM: [], clock: systemClock, logger: silentLogger };
    endpoint = await serve({ ...options, transport });
  });
  after(() => endpoint.close(0));

  async function connect(): Promise<tls.TLSSocket> {
    const socket = tls.connect({ port: endpoint.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(socket, 'readable');
    return socket;
  }

  for (const each of ['body', 'pause'] as const)
    it(`is cut when it has waited for long enough: each ${each}`, async () => {
      patience = { ms: patienceMs, each };
      const socket = await connect();
      await ended;
      const closed = once(socket, 'close');
      socket.resume();
      await closed;
    });

  it('is reset over HTTP/2, and the connection stays', async () => {
    patience = { ms: patienceMs, each: 'body' };
    const session = http2.connect(`https://127.0.0.1:${endpoint.port}`, { rejectUnauthorized: false });
    for (let request = 0; request < 2; request++) {
      const stream = session.request({ ':path': '/' });
      const closed = closeOf(stream);
      await once(stream, 'response');
      await ended;
      stream.resume();
      await closed;
      assert.equal(stream.rstCode, http2.constants.NGHTTP2_INTERNAL_ERROR);
    }
    assert.equal(session.closed, false);
    session.close();
  });

  it('goes on while the client reads, if only each pause counts', async () => {
    patience = { ms: 2000, each: 'pause' };
    const socket = await connect();
    const lateMs = performance.now() + 1.5 * patience.ms;
    const late = Promise.withResolvers<void>();
    socket.once('close', () => late.reject(new Error('the answer was cut')));
    socket.on('data', () => performance.now() > lateMs && late.resolve());
    await late.promise;
    assert.equal(socket.destroyed, false);
    socket.destroy();
    await ended;
  });
});

describe('a list that is not read', () => {
  let served: ServedServer;
  before(async () => {
    served = await startServedServer();
    const data = { text: 'x'.repeat(900_000) };
    for (const name of ['a', 'b']) await served.client(configMaps).create({ metadata: { namespace: 'default', name }, data });
  });
  after(() => served.close());

  it('is reset after the time that its request has', async () => {
    const session = http2.connect(`https://${served.host}`, await served.credentials());
    const stream = session.request({ ':path': '/api/v1/configmaps?timeout=100ms' });
    const closed = closeOf(stream);
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    assert.equal(headers[':status'], 200);
    await closed;
    assert.equal(stream.rstCode, http2.constants.NGHTTP2_INTERNAL_ERROR);
    session.close();
  });
});
