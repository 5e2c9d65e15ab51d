import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock } from '../base/system-clock.ts';
import { createHTTPTransport, type HTTPTransport } from './http-transport.ts';
import { openChannel } from './open-channel.ts';
import { readBody } from './read-body.ts';
import type { APIRequest } from './transport.ts';

async function selfSigned(): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test',
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true), new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { cert: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` };
}

function request(method: string, path: string, rest: Partial<APIRequest> = {}): APIRequest {
  return { method, path, query: '', headers: {}, signal: new AbortController().signal, ...rest };
}

async function text(transport: HTTPTransport, sent: APIRequest): Promise<string> {
  return new TextDecoder().decode(await readBody((await transport.transport(sent)).body));
}

type Served = { transport: HTTPTransport; server: https.Server | http2.Http2SecureServer; sessions: Set<http2.Http2Session> };

/** An echoing server that speaks HTTP/2 and HTTP/1.1, or only the latter. */
async function serve(allowsHTTP2: boolean, test: (served: Served) => Promise<void>): Promise<void> {
  const identity = await selfSigned();
  const sessions = new Set<http2.Http2Session>();
  const answer = (incoming: http2.Http2ServerRequest, outgoing: http2.Http2ServerResponse) => {
    if (incoming.url.endsWith('/endless')) return void outgoing.write('first\n');
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { httpVersion, url, headers } = incoming;
      outgoing.end(JSON.stringify({ httpVersion, url, token: headers.authorization, body: Buffer.concat(chunks).toString() }));
    });
  };
  const server = allowsHTTP2
    ? http2.createSecureServer({ ...identity, allowHTTP1: true }, answer)
    : https.createServer(identity, answer as unknown as () => void);
  server.on('session', (session: http2.Http2Session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('upgrade', (_incoming: unknown, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const transport = createHTTPTransport({
    server: `https://127.0.0.1:${port}/base/`,
    ca: identity.cert,
    token: () => 'secret',
    clock: systemClock,
  });
  try {
    await test({ transport, server, sessions });
  } finally {
    transport.close();
    for (const session of sessions) session.destroy();
    server.close();
  }
}

describe('createHTTPTransport', () => {
  it('speaks HTTP/2 on one connection', () =>
    serve(true, async ({ transport, sessions }) => {
      const body = new TextEncoder().encode('{}');
      const answers = await Promise.all([
        text(transport, request('GET', '/api/v1/pods', { query: 'limit=1' })),
        text(transport, request('POST', '/api/v1/pods', { body, headers: { 'content-type': 'application/json' } })),
      ]);
      assert.deepEqual(JSON.parse(answers[0]), {
        httpVersion: '2.0',
        url: '/base/api/v1/pods?limit=1',
        token: 'Bearer secret',
        body: '',
      });
      assert.equal(JSON.parse(answers[1]).body, '{}');
      assert.equal(sessions.size, 1);
    }));

  it('connects anew after the connection died', () =>
    serve(true, async ({ transport, sessions }) => {
      await text(transport, request('GET', '/a'));
      const [session] = sessions;
      const closed = once(session ?? assert.fail(), 'close');
      session?.destroy();
      await closed;
      // The client may not have noticed yet; then this one fails, and the next does not.
      await text(transport, request('GET', '/b')).catch(() => undefined);
      assert.equal(JSON.parse(await text(transport, request('GET', '/c'))).url, '/base/c');
    }));

  it('falls back to HTTP/1.1', () =>
    serve(false, async ({ transport }) => {
      assert.equal(JSON.parse(await text(transport, request('GET', '/a'))).httpVersion, '1.1');
    }));

  for (const allowsHTTP2 of [true, false]) {
    it(`ends a stream when the caller aborts, HTTP/${allowsHTTP2 ? '2' : '1.1'}`, () =>
      serve(allowsHTTP2, async ({ transport }) => {
        const stop = new AbortController();
        const { body } = await transport.transport(request('GET', '/endless', { signal: stop.signal }));
        await assert.rejects(async () => {
          if (body.kind === 'stream') for await (const _chunk of body.chunks) stop.abort();
        });
      }));
  }

  it('switches protocols', () =>
    serve(true, async ({ transport }) => {
      const { channel, response } = await openChannel(
        transport.transport,
        request('POST', '/exec', { headers: { connection: 'upgrade', upgrade: 'echo' } }),
      );
      assert.equal(response.headers['upgrade'], 'echo');
      await channel.write(new TextEncoder().encode('hello '));
      await channel.write(new TextEncoder().encode('there'));
      channel.end();
      const chunks: Uint8Array[] = [];
      for await (const chunk of channel.incoming) chunks.push(chunk);
      assert.equal(Buffer.concat(chunks).toString(), 'hello there');
      await channel.closed;
    }));

  it('refuses a certificate of unknown authority', () =>
    serve(true, async ({ server }) => {
      const { port } = server.address() as AddressInfo;
      const stranger = createHTTPTransport({ server: `https://127.0.0.1:${port}`, clock: systemClock });
      await assert.rejects(stranger.transport(request('GET', '/')), /self-signed certificate/);
      stranger.close();
    }));
});
