import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { openChannel } from '../../api/client/open-channel.ts';
import { readBody } from '../../api/client/read-body.ts';
import type { SecureRequest, SecureTarget } from '../apiserver/services/secure-dialer.ts';
import { type AuthorityPEM, type CertificateSpec, clientCertificate, type KeyPairPEM } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { type ClosableSecureDialer, createSecureDialer } from './secure-dialer.ts';

const making = { clock: systemClock, random: createSeededRandom(23) };

const asked = (parts: Partial<SecureRequest> = {}): SecureRequest => ({
  ...{ method: 'GET', path: '/apis/a/v1', query: 'x=y', headers: {} },
  signal: new AbortController().signal,
  ...parts,
});

describe('calls of Services with TLS', () => {
  let authority: AuthorityPEM;
  let other: AuthorityPEM;
  let identity: KeyPairPEM;
  let dialer: ClosableSecureDialer;
  let good: SecureTarget;
  const servers: https.Server[] = [];
  let sockets: Set<unknown>;
  let answer: RequestListener;
  const seen: IncomingMessage[] = [];

  const serve = async (spec: Partial<CertificateSpec>, by: AuthorityPEM): Promise<SecureTarget> => {
    const pair = await makeCertificate({ commonName: 'ext', usages: ['server'], validityDays: 1, ...spec }, by, making);
    const options = {
      key: pair.keyPEM,
      cert: pair.certificatePEM,
      ca: authority.certificatePEM,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const server = https.createServer(options, (request, response) => {
      seen.push(request);
      sockets.add(request.socket);
      answer(request, response);
    });
    server.on('upgrade', (request, socket) => {
      seen.push(request);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { host: '127.0.0.1', port, serverName: 'ext.ns.svc', caPEM: authority.certificatePEM };
  };
  const names = { dnsNames: ['ext.ns.svc'] };

  before(async () => {
    [authority, other] = await Promise.all([makeAuthority('one', making), makeAuthority('two', making)]);
    identity = await makeCertificate(clientCertificate('front-proxy-client'), authority, making);
    dialer = createSecureDialer({ clock: systemClock });
    good = await serve(names, authority);
  });
  beforeEach(() => {
    seen.length = 0;
    sockets = new Set();
    answer = (_request, response) => void response.end('hello');
  });
  after(() => {
    dialer.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  const text = async (target: SecureTarget, parts: Partial<SecureRequest> = {}) => {
    const response = await dialer.send(target, asked(parts));
    return { response, body: Buffer.from(await readBody(response.body)).toString() };
  };

  it('asks for the name of the Service and shows its certificate', async () => {
    const { body } = await text({ ...good, clientCertificate: identity });
    const [request] = seen;
    const socket = request?.socket as TLSSocket;
    assert.deepEqual([body, request?.url, socket.servername], ['hello', '/apis/a/v1?x=y', 'ext.ns.svc']);
    assert.deepEqual([socket.authorized, socket.getPeerCertificate().subject?.CN], [true, 'front-proxy-client']);
    await text(good);
    assert.equal(
      (seen[1]?.socket as TLSSocket | undefined)?.authorized,
      false,
      'a connection is not shared with those who show no certificate',
    );
  });

  it('replaces the credentials of the user by its own headers', async () => {
    await text(good, {
      headers: {
        authorization: 'Bearer secret',
        'impersonate-user': 'x',
        'x-remote-user': 'y',
        'x-remote-extra-a': 'b',
        connection: 'x-mine',
        'x-mine': '1',
        'x-kept': '2',
      },
      ownHeaders: { 'x-remote-user': 'jane', 'x-remote-group': ['a,b', 'c'] },
    });
    const [{ headers, rawHeaders } = { headers: {} as IncomingHttpHeaders, rawHeaders: [] as string[] }] = seen;
    const lines = rawHeaders.flatMap((value, at) =>
      rawHeaders[at - 1]?.toLowerCase() === 'x-remote-group' && at % 2 === 1 ? [value] : [],
    );
    assert.deepEqual(lines, ['a,b', 'c']);
    assert.deepEqual([headers['x-remote-user'], headers['x-kept']], ['jane', '2']);
    for (const name of ['authorization', 'impersonate-user', 'x-remote-extra-a', 'x-mine']) assert.equal(headers[name], undefined, name);
  });

  it('writes names of all languages in UTF-8: none is taken for another', async () => {
    for (const name of ['système', '\u00c3\u00a9', '漢字', '😀']) {
      seen.length = 0;
      await text(good, { headers: { 'x-kept': name }, ownHeaders: { 'x-remote-user': name, 'x-remote-group': [name, 'a'] } });
      const read = (value: unknown) => Buffer.from(String(value), 'latin1').toString();
      const { headers } = seen[0] ?? { headers: {} as IncomingHttpHeaders };
      assert.deepEqual([headers['x-remote-user'], headers['x-kept'], headers['x-remote-group']].map(read), [name, name, `${name}, a`]);
    }
  });

  it('uses connections again, and a new one where the other side has closed it', async () => {
    for (let call = 0; call < 5; call++) await text(good);
    assert.equal(sockets.size, 1);
    let calls = 0;
    answer = (request, response) => {
      // The server closes idle connections: the second request on any connection is reset.
      if (calls++ > 0 && sockets.size === 1) return void request.socket.destroy();
      response.end('hello');
    };
    sockets.clear();
    const fresh = await serve(names, authority);
    assert.equal((await text(fresh)).body, 'hello');
    assert.equal((await text(fresh, { method: 'POST', body: Buffer.from('{}') })).body, 'hello');
    assert.equal(sockets.size, 2);
  });

  it('does not repeat a request whose body it has passed on', async () => {
    const fresh = await serve(names, authority);
    assert.equal((await text(fresh)).body, 'hello');
    answer = (request) => void request.socket.destroy();
    const body = {
      read: () => Promise.reject(new Error('nobody may read it')),
      length: 2,
      chunks: async function* () {
        yield Buffer.from('{}');
      },
    };
    await assert.rejects(text(fresh, { method: 'POST', incoming: body }), { name: 'DialError', message: 'EOF' });
    assert.equal(seen.length, 2);
  });

  it('refuses certificates that it cannot trust, in the words of Go', async () => {
    const failed = 'tls: failed to verify certificate: x509: ';
    const unknown = await serve(names, other);
    await assert.rejects(text(unknown), { name: 'DialError', message: `${failed}certificate signed by unknown authority` });
    const elsewhere = await serve({ dnsNames: ['a.b.svc', 'c.d.svc'] }, authority);
    await assert.rejects(text(elsewhere), { message: `${failed}certificate is valid for a.b.svc, c.d.svc, not ext.ns.svc` });
    const legacy = await serve({ commonName: 'ext.ns.svc' }, authority);
    await assert.rejects(text(legacy), { message: `${failed}certificate relies on legacy Common Name field, use SANs instead` });
    const expired = await serve({ ...names, validityDays: -1 }, authority);
    await assert.rejects(text(expired), {
      message: /^tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time /,
    });
    await assert.rejects(text({ ...good, caPEM: 'x' }), {
      message: 'unable to load root certificates: unable to parse bytes as PEM block',
    });
    await assert.rejects(text({ ...good, caPEM: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }), { name: 'DialError' });
    assert.equal(seen.length, 0, 'nothing was sent');
    assert.equal((await text({ ...unknown, insecureSkipTLSVerify: true })).body, 'hello');
    await assert.rejects(text(unknown), { name: 'DialError' }, 'not on the connection of those who skip the check');
  });

  it('does not follow redirects, and calls no local address where users choose', async () => {
    answer = (_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    assert.equal((await text(good)).response.status, 302);
    for (const host of ['127.0.0.1', 'localhost', '169.254.169.254', '::1'])
      await assert.rejects(text({ ...good, host, refuseLocal: true }), { message: 'address not allowed' }, host);
    assert.equal(seen.length, 1);
  });

  it('ends with its signal, and cuts what it has not read', async () => {
    let closed: Promise<unknown> | undefined;
    answer = (request, response) => {
      closed = once(request.socket, 'close');
      if (request.url === '/silent') return;
      response.write('x');
    };
    const limit = new AbortController();
    const silent = text(good, { path: '/silent', query: '', signal: limit.signal });
    await once(servers[0] as https.Server, 'request');
    limit.abort(new Error('enough'));
    await assert.rejects(silent);
    await closed;
    const second = new AbortController();
    await dialer.send(good, asked({ signal: second.signal }));
    second.abort(new Error('enough'));
    await closed;
  });

  it('joins connections that switch protocols', async () => {
    const { channel } = await openChannel(
      (request) => dialer.send(good, { ...request, canUpgrade: true }),
      asked({ headers: { upgrade: 'websocket', connection: 'Upgrade' }, canUpgrade: true }),
    );
    await channel.write(Buffer.from('abc'));
    channel.destroy();
  });

  it('gives up on a server that never finishes the handshake', async () => {
    const silent = net.createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const hasty = createSecureDialer({ clock: systemClock, connectTimeoutMs: 50 });
    const { port } = silent.address() as AddressInfo;
    await assert.rejects(hasty.send({ ...good, port }, asked()), { name: 'DialError', message: `dial tcp 127.0.0.1:${port}: i/o timeout` });
    hasty.close();
    silent.close();
  });
});
