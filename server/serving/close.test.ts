import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { silentLogger } from '../../api/base/logger.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import type { APIRequest, APIResponse } from '../../api/client/transport.ts';
import { serverCertificate } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import type { ServingCertificate } from './named-certificates.ts';
import { serve } from './serve.ts';

describe('closing a listener with connections that are open', () => {
  let certificate: ServingCertificate;
  before(async () => {
    const making = { clock: systemClock, random: createSeededRandom(7) };
    const authority = await makeAuthority('kubernetes', making);
    const names = { clusterDomain: 'x', serviceAddresses: [], hostNames: [], addresses: [] };
    certificate = await makeCertificate(serverCertificate(names), authority, making);
  });

  const listen = (transport: (request: APIRequest) => Promise<APIResponse>, clock = systemClock) =>
    serve({ transport, host: '127.0.0.1', port: 0, certificate, clientCAsPEM: [], clock, logger: silentLogger });

  async function connect(port: number): Promise<tls.TLSSocket> {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  }

  /** Zeros without an end; tells when the request has come and when it is given up. */
  function endless(arrived: () => void, gone: () => void) {
    return async ({ signal }: APIRequest): Promise<APIResponse> => {
      async function* chunks() {
        try {
          arrived();
          while (!signal?.aborted) yield new Uint8Array(65_536);
        } finally {
          gone();
        }
      }
      return { status: 200, headers: {}, body: { kind: 'stream', chunks: chunks() } };
    };
  }

  it('is over as soon as an answer that was under way has ended, though its client keeps the connection', async () => {
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const { promise: arrival, resolve: arrived } = Promise.withResolvers<void>();
    const endpoint = await listen(async () => {
      async function* chunks() {
        arrived();
        await finished;
        yield Buffer.from('end');
      }
      return { status: 200, headers: {}, body: { kind: 'stream', chunks: chunks() } };
    });
    const socket = await connect(endpoint.port);
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrival;
    const closing = endpoint.close(60_000, finished);
    finish();
    await closing;
    await once(socket, 'close');
  });

  it('does not wait for ever for a client that does not read', async () => {
    const clock = createManualClock();
    const { promise: arrival, resolve: arrived } = Promise.withResolvers<void>();
    const { promise: finished, resolve: gone } = Promise.withResolvers<void>();
    const endpoint = await listen(endless(arrived, gone), clock);
    const socket = await connect(endpoint.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrival;
    let isClosed = false;
    const closing = endpoint.close(5000, finished).then(() => (isClosed = true));
    await clock.advance(29_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isClosed, false);
    await clock.advance(1000);
    await closing;
    await finished;
    socket.destroy();
  });

  it('cuts what has not asked for anything after the grace period', async () => {
    const clock = createManualClock();
    const endpoint = await listen(() => Promise.reject(new Error('nobody asks')), clock);
    const silent = net.connect(endpoint.port, '127.0.0.1');
    silent.on('error', () => {});
    await once(silent, 'connect');
    const half = await connect(endpoint.port);
    half.write('GET /hal');
    const closing = endpoint.close(5000);
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(5000);
    await closing;
    silent.destroy();
    half.destroy();
  });
});
