import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createWatchedValue, fixedValue, type SettableValue } from '../../api/base/watched-value.ts';
import { sleep } from '../../api/base/clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { openChannel } from '../../api/client/open-channel.ts';
import { readBody } from '../../api/client/read-body.ts';
import type { APIRequest, IncomingBody } from '../../api/client/transport.ts';
import type { DialTarget } from '../apiserver/subresources/subresource.ts';
import { clientCertificate, type KeyPairPEM, nodeServingCertificate } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { type ClosableDialer, createDialer } from './dialer.ts';

function request(parts: Partial<APIRequest> = {}): APIRequest {
  return { method: 'GET', path: '/x%20y', query: 'a=b', headers: {}, signal: new AbortController().signal, ...parts };
}

describe('dialer', () => {
  const making = { clock: systemClock, random: createSeededRandom(11) };
  let backend: http.Server;
  let kubelet: https.Server;
  let ownKubelet: https.Server;
  let dialer: ClosableDialer;
  let kubeletClient: KeyPairPEM;
  let pod: DialTarget;
  let node: DialTarget;
  let ownNode: DialTarget;
  let verifying: ClosableDialer;
  let kubeletCAPEM: SettableValue<string>;
  const seen: http.IncomingMessage[] = [];
  let taking: (chunk: Buffer) => void = () => {};

  before(async () => {
    const authority = await makeAuthority('kubernetes', making);
    const serving = await makeCertificate(nodeServingCertificate('n1', [], ['127.0.0.1']), authority, making);
    kubeletClient = await makeCertificate(clientCertificate('kube-apiserver-kubelet-client'), authority, making);
    const own = await makeAuthority('n2-ca@1', making);
    dialer = createDialer({ clock: systemClock, kubeletClient: fixedValue(kubeletClient) });
    kubeletCAPEM = createWatchedValue(authority.certificatePEM);
    verifying = createDialer({ clock: systemClock, kubeletClient: fixedValue(kubeletClient), kubeletCAPEM });
    const answer: http.RequestListener = (incoming, response) => {
      seen.push(incoming);
      incoming.on('data', (chunk: Buffer) => taking(chunk));
      if (incoming.headers['content-length'] || incoming.headers['transfer-encoding'])
        return void incoming.on('end', () => respond(incoming, response));
      respond(incoming, response);
    };
    const respond: http.RequestListener = (incoming, response) => {
      if (incoming.url?.startsWith('/redirect')) response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
      else response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], connection: 'close' }).end(`hello ${incoming.url}`);
    };
    backend = http.createServer(answer).listen(0, '127.0.0.1');
    const switchProtocols = (incoming: http.IncomingMessage, socket: Duplex) => {
      seen.push(incoming);
      if (incoming.url?.startsWith('/reset') && socket instanceof Socket) {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n', () =>
          socket.resetAndDestroy(),
        );
        return;
      }
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4\r\n\r\nfirst',
      );
      socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));
      socket.on('end', () => socket.end());
    };
    backend.on('upgrade', switchProtocols);
    kubelet = https
      .createServer(
        { key: serving.keyPEM, cert: serving.certificatePEM, ca: authority.certificatePEM, requestCert: true, rejectUnauthorized: true },
        answer,
      )
      .listen(0, '127.0.0.1');
    ownKubelet = https
      .createServer(
        { key: own.keyPEM, cert: own.certificatePEM, ca: authority.certificatePEM, requestCert: true, rejectUnauthorized: true },
        answer,
      )
      .listen(0, '127.0.0.1');
    ownKubelet.on('upgrade', switchProtocols);
    await Promise.all([once(backend, 'listening'), once(kubelet, 'listening'), once(ownKubelet, 'listening')]);
    pod = { scheme: 'http', host: '127.0.0.1', port: (backend.address() as AddressInfo).port };
    node = { scheme: 'https', host: '127.0.0.1', port: (kubelet.address() as AddressInfo).port, kubelet: true };
    ownNode = { ...node, port: (ownKubelet.address() as AddressInfo).port };
  });
  beforeEach(() => void (seen.length = 0));
  after(() => {
    for (const one of [dialer, verifying]) one.close();
    for (const server of [backend, kubelet, ownKubelet]) {
      server.close();
      server.closeAllConnections();
    }
  });

  const text = async (target: DialTarget, parts?: Partial<APIRequest>, by = dialer) => {
    const response = await by.send(target, { ...request(parts), canUpgrade: false });
    return { response, body: Buffer.from(await readBody(response.body)).toString() };
  };

  it('passes a body on as it comes, never more of it than the other side takes', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    let made = 0;
    const incoming = (length: number | undefined): IncomingBody => ({
      read: () => Promise.reject(new Error('nobody may read it')),
      async *chunks() {
        for (made = 0; made < 40; made++) yield chunk;
      },
      length,
    });
    for (const [method, length] of [
      ['POST', undefined],
      ['DELETE', undefined],
      ['PUT', 40 * chunk.length],
    ] as const) {
      seen.length = 0;
      let received = 0;
      taking = (part) => (received += part.length);
      const { body } = await text(pod, { method, incoming: incoming(length) });
      assert.equal(body, 'hello /x%20y?a=b');
      assert.equal(seen[0]?.headers['content-length'], length === undefined ? undefined : String(length));
      assert.equal(seen[0]?.headers['transfer-encoding'], length === undefined ? 'chunked' : undefined);
      assert.deepEqual([made, received], [40, 40 * chunk.length]);
    }
    taking = () => {};
  });

  it('passes a request on, without the credentials and connection headers of the user', async () => {
    const { response, body } = await text(pod, {
      method: 'POST',
      body: Buffer.from('body'),
      headers: {
        authorization: 'Bearer secret',
        'impersonate-user': 'x',
        'x-remote-user': 'y',
        connection: 'x-mine',
        'x-mine': '1',
        'x-kept': '2',
      },
    });
    assert.equal(body, 'hello /x%20y?a=b');
    assert.equal(response.headers['set-cookie'], 'a=1\nb=2');
    assert.equal(response.headers['connection'], undefined);
    const [{ headers } = { headers: {} as http.IncomingHttpHeaders }] = seen;
    assert.equal(headers['x-kept'], '2');
    for (const name of ['authorization', 'impersonate-user', 'x-remote-user', 'x-mine']) assert.equal(headers[name], undefined, name);
  });

  it('does not follow redirects', async () => assert.equal((await text(pod, { path: '/redirect' })).response.status, 302));

  it('shows kubelets its certificate', async () => {
    assert.equal((await text(node)).body, 'hello /x%20y?a=b');
    await assert.rejects(text({ ...node, kubelet: false }), { name: 'DialError' });
  });

  it('takes the certificate that a kubelet has made for itself', async () => {
    assert.equal((await text(ownNode)).body, 'hello /x%20y?a=b');
    const { response, channel } = await openChannel(
      (asked) => dialer.send(ownNode, { ...asked, canUpgrade: true }),
      request({ method: 'POST', headers: { upgrade: 'SPDY/3.1', connection: 'Upgrade' } }),
    );
    assert.equal(response.headers['x-stream-protocol-version'], 'v4');
    channel.end();
    const received: Uint8Array[] = [];
    for await (const chunk of channel.incoming) received.push(chunk);
    assert.equal(Buffer.concat(received).toString(), 'first');
  });

  it('verifies the certificates of kubelets where it is told who signs them', async () => {
    assert.equal((await text(node, {}, verifying)).body, 'hello /x%20y?a=b');
    await assert.rejects(text(ownNode, {}, verifying), { name: 'DialError', message: /self-signed certificate/ });
    const right = kubeletCAPEM.get();
    kubeletCAPEM.set(kubeletClient.certificatePEM);
    await assert.rejects(text(node, {}, verifying), { name: 'DialError' }, 'authorities that were replaced');
    kubeletCAPEM.set(right);
    assert.equal((await text(node, {}, verifying)).body, 'hello /x%20y?a=b');
  });

  it('joins connections that switch protocols', async () => {
    const { channel, response } = await openChannel(
      (asked) => dialer.send(pod, { ...asked, canUpgrade: true }),
      request({ method: 'POST', headers: { upgrade: 'SPDY/3.1', connection: 'Upgrade' } }),
    );
    assert.equal(response.headers['x-stream-protocol-version'], 'v4');
    const incoming = channel.incoming[Symbol.asyncIterator]();
    assert.equal(String(Buffer.from((await incoming.next()).value ?? [])), 'first');
    await channel.write(Buffer.from('abc'));
    assert.equal(String(Buffer.from((await incoming.next()).value ?? [])), 'ABC');
    channel.end();
    assert.equal((await incoming.next()).done, true);
    await channel.closed;
  });

  it('survives a backend that resets the connection before anybody has taken it', async () => {
    const headers = { upgrade: 'SPDY/3.1', connection: 'Upgrade' };
    const answer = await dialer.send(pod, { ...request({ path: '/reset', headers }), canUpgrade: true });
    assert.equal(answer.status, 101);
    await sleep(systemClock, 100); // an error that nobody listens for would end the process
  });

  it('refuses local addresses where users choose the target, also behind names', async () => {
    for (const host of [
      '127.0.0.1',
      'localhost',
      '169.254.169.254',
      '::1',
      '::ffff:127.0.0.1',
      '0.0.0.0',
      'fe80::1',
      '::1%lo',
      'fe80::1%lo',
    ]) {
      await assert.rejects(text({ ...pod, host, refuseLocal: true }), { code: 400, message: 'address not allowed' }, host);
    }
    assert.equal(seen.length, 0);
  });

  it('does not call the API server itself with the certificate for kubelets', async () => {
    const isOwnEndpoint = (address: string, port: number) => address === '127.0.0.1' && port === node.port;
    const careful = createDialer({ clock: systemClock, kubeletClient: fixedValue(kubeletClient), isOwnEndpoint });
    for (const host of ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:127.0.0.1%lo', 'localhost'])
      await assert.rejects(text({ ...node, host }, {}, careful), { code: 400, message: 'address not allowed' }, host);
    assert.equal(seen.length, 0);
    assert.equal((await text({ ...ownNode, kubelet: true }, {}, careful)).body, 'hello /x%20y?a=b');
    careful.close();
  });

  it('says that nobody is there', async () => {
    const closed = http.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    await assert.rejects(text({ ...pod, port }), { name: 'DialError', message: `dial tcp 127.0.0.1:${port}: connect: connection refused` });
  });
});
