import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import tls from 'node:tls';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { clientCertificate, type KeyPairPEM } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { type CertificateOptions, issue, type Issued } from '../pki/testing/certificate-chain.ts';
import { type ServedServer, startServedServer } from './testing/start-served-server.ts';

const making = { clock: systemClock, random: systemRandom };
const dayMs = 86_400_000;

/** Certificates as they come over TLS, with all that OpenSSL and Node do to them on the way. */
describe('client certificates over TLS', () => {
  let served: ServedServer;
  let root: Issued;
  const always = { validFromMs: systemClock.nowMs() - dayMs, validToMs: systemClock.nowMs() + dayMs };
  const pem = (...chain: Issued[]) => chain.map(({ certificate }) => certificate.toString()).join('');
  const pairOf = (leaf: Issued, ...intermediates: Issued[]) => ({
    cert: pem(leaf, ...intermediates),
    key: leaf.key.export({ format: 'pem', type: 'pkcs8' }) as string,
  });
  const leaf = (options: Partial<CertificateOptions>) => issue('jane', { ...always, issuer: root, ...options });
  const credentialsOf = ({ certificatePEM, keyPEM }: KeyPairPEM) => ({ cert: certificatePEM, key: keyPEM });

  before(async () => {
    served = await startServedServer();
    const { clusterCA } = served.server;
    const certificate = new X509Certificate(clusterCA.certificatePEM);
    root = { name: 'kubernetes', der: certificate.raw, certificate, key: createPrivateKey(clusterCA.keyPEM) };
  });
  after(() => served.close());

  const whoAsks1 = async (pair: { cert: string; key: string }, options: tls.ConnectionOptions = {}) => {
    const request = https.get(`https://${served.host}/api/v1/secrets`, { ...pair, rejectUnauthorized: false, agent: false, ...options });
    const [response] = await once(request, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    return [response.statusCode, JSON.parse(body).message];
  };
  const whoAsks2 = async (pair: { cert: string; key: string }) => {
    const session = http2.connect(`https://${served.host}`, { ...pair, rejectUnauthorized: false });
    const stream = session.request({ ':path': '/api/v1/secrets' });
    const [headers] = await once(stream, 'response');
    let body = '';
    for await (const chunk of stream) body += chunk;
    session.close();
    return [headers[':status'], JSON.parse(body).message];
  };
  const jane = [403, 'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" at the cluster scope'];

  it('that nobody can verify are answered 401, every time', async () => {
    const [other, old] = await Promise.all([
      makeAuthority('kubernetes', making),
      makeCertificate(clientCertificate('jane'), served.server.clusterCA, {
        ...making,
        clock: { ...systemClock, nowMs: () => systemClock.nowMs() - 400 * dayMs },
      }),
    ]);
    const bad = [
      credentialsOf(await makeCertificate(clientCertificate('jane'), other, making)),
      credentialsOf(old),
      credentialsOf(await makeCertificate({ ...clientCertificate('jane'), usages: ['server'] }, served.server.clusterCA, making)),
      credentialsOf(other),
    ];
    for (let round = 0; round < 20; round++)
      for (const pair of bad) {
        const maxVersion = round % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2';
        assert.deepEqual(await whoAsks1(pair, { maxVersion }), [401, 'Unauthorized']);
      }
    for (const pair of bad) assert.deepEqual(await whoAsks2(pair), [401, 'Unauthorized']);
  });

  it('of an intermediate authority, with and without extended key usages, are users', async () => {
    const between = issue('between', { ...always, issuer: root, isCA: true });
    for (const usages of [undefined, ['1.3.6.1.5.5.7.3.2']]) {
      const pair = pairOf(leaf({ issuer: between, ...(usages ? { usages } : {}) }), between);
      assert.deepEqual(await whoAsks1(pair), jane);
      assert.deepEqual(await whoAsks2(pair), jane);
    }
    assert.deepEqual(await whoAsks1(pairOf(leaf({ issuer: between }))), [401, 'Unauthorized']);
  });

  it('are users on resumed sessions too', async () => {
    const between = issue('between', { ...always, issuer: root, isCA: true });
    const pair = pairOf(leaf({ issuer: between }), between);
    const [hostname = '', port = ''] = served.host.split(':');
    let session: Buffer | undefined;
    const connect = async () => {
      const socket = tls.connect({
        host: hostname,
        port: Number(port),
        ...pair,
        rejectUnauthorized: false,
        ...(session ? { session } : {}),
      });
      socket.on('session', (ticket) => (session = ticket));
      await once(socket, 'secureConnect');
      const isReused = socket.isSessionReused();
      socket.write('GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      return [isReused, /^HTTP\/1.1 (\d+)/.exec(text)?.[1], text.includes('User \\"jane\\"')];
    };
    assert.deepEqual(await connect(), [false, '403', true]);
    assert.deepEqual(await connect(), [true, '403', true]);
  });
});
