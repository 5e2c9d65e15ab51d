import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import tls from 'node:tls';
import { silentLogger } from '../../api/base/logger.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import type { APIRequest, APIResponse, Transport } from '../../api/client/transport.ts';
import { clientCertificate, type KeyPairPEM, serverCertificate } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { serve, type ServingEndpoint } from './serve.ts';

const text = (status: number, value: string): APIResponse => ({
  status,
  headers: { 'content-type': 'text/plain', connection: 'close', 'transfer-encoding': 'chunked', warning: '299 - "naïve \u{1f600}"' },
  body: { kind: 'bytes', bytes: Buffer.from(value) },
});

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

describe('serve', () => {
  const making = { clock: systemClock, random: createSeededRandom(7) };
  let authority: KeyPairPEM;
  let client: KeyPairPEM;
  let endpoint: ServingEndpoint;
  let transport: Transport;
  const seen: APIRequest[] = [];

  before(async () => {
    authority = await makeAuthority('kubernetes', making);
    const certificate = await makeCertificate(
      serverCertificate({ clusterDomain: 'cluster.local', serviceAddresses: [], hostNames: [], addresses: [] }),
      authority,
      making,
    );
    client = await makeCertificate(clientCertificate('someone', ['a-group']), authority, making);
    endpoint = await serve({
      transport: (request) => {
        seen.push(request);
        return transport(request);
      },
      host: '127.0.0.1',
      port: 0,
      certificate,
      clientCAsPEM: [authority.certificatePEM],
      clock: systemClock,
      logger: silentLogger,
    });
  });
  beforeEach(() => {
    seen.length = 0;
    transport = async (request) => {
      const body = (await request.incoming?.read(3 * 1024 * 1024, 'someone')) ?? [];
      return text(200, `${request.method} ${request.path} ${request.query} ${Buffer.from(body).toString()}`);
    };
  });
  after(() => endpoint.close(0));

  const url = () => `https://localhost:${endpoint.port}`;
  const connect2 = (options: http2.SecureClientSessionOptions = {}) => http2.connect(url(), { ca: authority.certificatePEM, ...options });

  async function request1(
    path: string,
    options: https.RequestOptions = {},
    body?: string | Buffer,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    const request = https.request(`${url()}${path}`, { ca: authority.certificatePEM, agent: false, ...options });
    request.end(body);
    const [response] = await once(request, 'response');
    let received = '';
    for await (const chunk of response) received += chunk;
    return { status: response.statusCode, headers: response.headers, body: received };
  }

  async function request2(
    session: http2.ClientHttp2Session,
    headers: http2.OutgoingHttpHeaders,
    body?: string,
  ): Promise<{ headers: http2.IncomingHttpHeaders; body: string }> {
    const stream = session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const response = once(stream, 'response');
    let received = '';
    for await (const chunk of stream) received += chunk;
    return { headers: (await response)[0], body: received };
  }

  it('serves HTTP/1.1', async () => {
    const answer = await request1('/api%2Fv1?a=b%20c', { method: 'POST' }, 'hello');
    assert.equal(answer.body, 'POST /api%2Fv1 a=b%20c hello');
    assert.equal(Buffer.from(String(answer.headers['warning']), 'latin1').toString('utf8'), '299 - "naïve \u{1f600}"');
    assert.equal(seen[0]?.peer?.certificate, undefined);
  });

  it('serves HTTP/2 without the headers that it forbids', async () => {
    const session = connect2();
    const answer = await request2(session, { ':method': 'PUT', ':path': '/x?y', 'x-remote-group': ['a', 'b'] }, 'body');
    assert.equal(answer.body, 'PUT /x y body');
    assert.equal(answer.headers['connection'], undefined);
    assert.equal(seen[0]?.headers['x-remote-group'], 'a, b');
    assert.deepEqual({ ...seen[0]?.repeatedHeaders }, { 'x-remote-group': ['a', 'b'] });
    assert.equal(seen[0]?.headers['host'], `localhost:${endpoint.port}`);
    session.close();
  });

  it('keeps the lines of headers apart that say who somebody is', async () => {
    const headers = { 'Impersonate-Group': ['a, b', 'système'], 'impersonate-user': 'x,y', 'X-Remote-Group': 'c,d', accept: ['e', 'f'] };
    const expected = { 'impersonate-group': ['a, b', 'système'], 'impersonate-user': ['x,y'], 'x-remote-group': ['c,d'] };
    const onTheWire = {
      ...headers,
      'Impersonate-Group': headers['Impersonate-Group'].map((value) => Buffer.from(value).toString('latin1')),
    };
    await request1('/', { headers: onTheWire });
    assert.deepEqual({ ...seen[0]?.repeatedHeaders }, expected);
    const session = connect2();
    await request2(session, { ':path': '/', ...onTheWire });
    assert.deepEqual({ ...seen.at(-1)?.repeatedHeaders }, expected);
    session.close();
  });

  it('drops no header behind many others', async () => {
    const many = Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`a-${index}`, '1']));
    await request1('/', { headers: { ...many, 'impersonate-user': 'nobody' } });
    assert.equal(seen[0]?.headers['impersonate-user'], 'nobody');
  });

  it('hands over the client certificate on both protocols', async () => {
    const credentials = { cert: client.certificatePEM, key: client.keyPEM };
    await request1('/', credentials);
    const session = connect2(credentials);
    await request2(session, { ':path': '/' });
    session.close();
    for (const request of seen) assert.match(Buffer.from(request.peer?.certificate ?? []).toString('latin1'), /someone/);
    assert.equal(seen.length, 2);
  });

  it('answers 413 to a body that is too large, declared or not', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024 + 1, 'x');
    const declared = await request1('/', { method: 'POST' }, large);
    assert.equal(declared.status, 413);
    assert.equal(JSON.parse(declared.body).message, 'Request entity too large: limit is 3145728');
    const chunked = await request1('/', { method: 'POST', headers: { 'transfer-encoding': 'chunked' } }, large);
    assert.equal(chunked.status, 413);
    const exact = await request1('/', { method: 'POST' }, large.subarray(1));
    assert.equal(exact.status, 200);
  });

  it('streams chunk by chunk and ends the stream when the client leaves', async () => {
    let release = () => {};
    let ended: () => void = () => {};
    const streamEnded = new Promise<void>((resolve) => (ended = resolve));
    transport = async (request) => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: {
        kind: 'stream',
        chunks: (async function* () {
          try {
            yield Buffer.from('one');
            await new Promise<void>((resolve) => (release = resolve));
            yield Buffer.from('two');
            await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
          } finally {
            ended();
          }
        })(),
      },
    });
    const session = connect2();
    const stream = session.request({ ':path': '/watch' });
    assert.equal(String((await once(stream, 'data'))[0]), 'one');
    release();
    assert.equal(String((await once(stream, 'data'))[0]), 'two');
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await streamEnded;
    session.close();
  });

  it('sends chunks of every size as they are, on both protocols', async () => {
    const sizes = [1, 32_768, 32_769, 65_526, 65_527, 65_536, 65_537, 262_135, 262_136, 700_001];
    const pieces = sizes.map((size, index) => Buffer.alloc(size, `${index} is of ${size} bytes; `));
    const expected = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
    const hash = (body: string) => createHash('sha256').update(body).digest('hex');
    const session = connect2();
    for (const order of [pieces, pieces.toReversed()]) {
      const wanted = order === pieces ? expected : hash(Buffer.concat(order).toString());
      for (const body of [
        () => ({ kind: 'stream' as const, chunks: stream(order) }),
        () => ({ kind: 'bytes' as const, bytes: Buffer.concat(order) }),
      ]) {
        transport = async () => ({ status: 200, headers: {}, body: body() });
        const answers = await Promise.all([request1('/'), request2(session, { ':path': '/' })]);
        assert.deepEqual(
          answers.map((answer) => hash(answer.body)),
          [wanted, wanted],
        );
      }
    }
    session.close();
  });

  it('cuts a stream that fails, on both protocols', async () => {
    transport = async () => ({
      status: 200,
      headers: {},
      body: {
        kind: 'stream',
        chunks: (async function* () {
          yield Buffer.from('half');
          throw new Error('broken');
        })(),
      },
    });
    await assert.rejects(request1('/'), /aborted|ECONNRESET/);
    const session = connect2();
    await assert.rejects(request2(session, { ':path': '/' }), /INTERNAL_ERROR/);
    session.close();
  });

  it('answers 500 when the transport throws, and goes on', async () => {
    transport = async () => {
      throw new Error('oops');
    };
    const answer = await request1('/');
    assert.equal(answer.status, 500);
    assert.equal(JSON.parse(answer.body).message, 'oops');
  });

  it('switches protocols, in both directions', async () => {
    transport = async (request) => {
      assert.equal(request.canUpgrade, true);
      return {
        status: 101,
        headers: { upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' },
        body: { kind: 'none' },
        upgrade: async (channel) => {
          for await (const chunk of channel.incoming) await channel.write(Buffer.from(String(Buffer.from(chunk)).toUpperCase()));
          channel.end();
        },
      };
    };
    const request = https.request(`${url()}/exec`, {
      ca: authority.certificatePEM,
      agent: false,
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    });
    request.end();
    const [response, socket] = await once(request, 'upgrade');
    assert.equal(response.statusCode, 101);
    assert.equal(response.headers['upgrade'], 'SPDY/3.1');
    assert.equal(response.headers['x-stream-protocol-version'], 'v4.channel.k8s.io');
    socket.write('abc');
    assert.equal(String((await once(socket, 'data'))[0]), 'ABC');
    socket.end();
    await once(socket, 'end');
  });

  it('closes the connection after a refused upgrade without reading on', async () => {
    transport = async () => text(403, 'no');
    const socket = tls.connect({ host: '127.0.0.1', port: endpoint.port, ca: authority.certificatePEM, servername: 'localhost' });
    socket.write(
      'GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    let received = '';
    for await (const chunk of socket) received += chunk;
    assert.match(received, /^HTTP\/1.1 403 /);
    assert.match(received, /connection: close/i);
    assert.deepEqual(
      seen.map(({ path }) => path),
      ['/exec'],
    );
  });

  it('refuses what is no HTTP and serves the next', async () => {
    for (const garbage of [
      '\0\0\0\0\r\n\r\n',
      'GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'a'.repeat(200_000)}\r\n\r\n`,
    ]) {
      const socket = tls.connect({ host: '127.0.0.1', port: endpoint.port, ca: authority.certificatePEM, servername: 'localhost' });
      socket.on('error', () => {});
      socket.write(garbage);
      let received = '';
      try {
        for await (const chunk of socket) received += chunk;
      } catch {
        // Being cut off is as good an answer.
      }
      assert.match(received, /^(HTTP\/1.1 4\d\d |$)/);
    }
    assert.equal(seen.length, 0);
    assert.equal((await request1('/')).status, 200);
  });

  it('refuses a request that claims another version than its connection speaks', async () => {
    const socket = tls.connect({ host: '127.0.0.1', port: endpoint.port, ca: authority.certificatePEM, servername: 'localhost' });
    socket.write('GET /x HTTP/2.0\r\nHost: x\r\nConnection: close\r\n\r\n');
    let received = '';
    for await (const chunk of socket) received += chunk;
    assert.match(received, /^HTTP\/1.1 505 HTTP Version Not Supported/);
    assert.equal((await request1('/')).status, 200);
  });

  for (const [what, lines] of [
    ['a request', ''],
    ['an upgrade', 'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n'],
  ] as const)
    it(`refuses ${what} that names two hosts`, async () => {
      const before = seen.length;
      const socket = tls.connect({ host: '127.0.0.1', port: endpoint.port, ca: authority.certificatePEM, servername: 'localhost' });
      socket.write(`GET /exec HTTP/1.1\r\nHost: a\r\nhOST: b\r\n${lines || 'Connection: close\r\n'}\r\n`);
      let received = '';
      for await (const chunk of socket) received += chunk;
      assert.match(received, /^HTTP\/1.1 400 /);
      assert.equal(seen.length, before);
    });

  it('lets requests under way finish when it closes', async () => {
    const certificate = await makeCertificate(
      serverCertificate({ clusterDomain: 'x', serviceAddresses: [], hostNames: [], addresses: [] }),
      authority,
      making,
    );
    let arrived = () => {};
    let release = () => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const other = await serve({
      transport: async () => {
        arrived();
        await new Promise<void>((resolve) => (release = resolve));
        return text(200, 'done');
      },
      host: '127.0.0.1',
      port: 0,
      certificate,
      clientCAsPEM: [],
      clock: systemClock,
      logger: silentLogger,
    });
    const session = http2.connect(`https://localhost:${other.port}`, { ca: authority.certificatePEM });
    const answer = request2(session, { ':path': '/' });
    await arrival;
    const closed = other.close(30_000);
    release();
    assert.equal((await answer).body, 'done');
    await closed;
  });
});
