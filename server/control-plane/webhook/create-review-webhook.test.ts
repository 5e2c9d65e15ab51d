import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { retryWebhook, WebhookError } from '../../apiserver/webhooks/review-webhook.ts';
import { clientCertificate, type KeyPairPEM, nodeServingCertificate } from '../../pki/certificate-spec.ts';
import { crossSign, makeAuthority, makeCertificate } from '../../pki/make-certificate.ts';
import { type ClosableReviewWebhook, createReviewWebhook } from './create-review-webhook.ts';
import { parseWebhookKubeconfig } from './webhook-access.ts';

const making = { clock: systemClock, random: createSeededRandom(1) };
const signal = new AbortController().signal;

describe('a review webhook over HTTPS', function () {
  this.timeout(60_000);
  let folder: string;
  let authority: KeyPairPEM;
  let server: https.Server;
  let webhook: ClosableReviewWebhook;
  let answer: RequestListener = () => {};
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'review-webhook-'));
    authority = await makeAuthority('webhook-ca', making);
    const [own, client] = await Promise.all([
      makeCertificate(nodeServingCertificate('localhost', [], ['127.0.0.1']), authority, making),
      makeCertificate(clientCertificate('apiserver'), authority, making),
    ]);
    server = https.createServer(
      { cert: own.certificatePEM, key: own.keyPEM, ca: authority.certificatePEM, requestCert: true, rejectUnauthorized: true },
      (request, response) => answer(request, response),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    await writeFile(path.join(folder, 'ca.crt'), authority.certificatePEM);
    await writeFile(path.join(folder, 'client.crt'), client.certificatePEM);
    await writeFile(path.join(folder, 'client.key'), client.keyPEM);
    await writeFile(path.join(folder, 'kubeconfig'), kubeconfig(`https://127.0.0.1:${(server.address() as AddressInfo).port}/review`));
    webhook = await createReviewWebhook(path.join(folder, 'kubeconfig'), { clock: systemClock });
  });
  after(async () => {
    webhook.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  const kubeconfig = (url: string, user = '{ client-certificate: client.crt, client-key: client.key }') => `
clusters: [{ name: c, cluster: { server: "${url}", certificate-authority: ca.crt } }]
users: [{ name: u, user: ${user} }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
current-context: x
`;
  const post = (timeoutMs = 3000) => webhook.post({ kind: 'TokenReview' }, { signal, timeoutMs });
  const failure = async (timeoutMs?: number): Promise<WebhookError> => {
    try {
      await post(timeoutMs);
    } catch (error) {
      assert.ok(error instanceof WebhookError, String(error));
      return error;
    }
    throw new Error('it was answered');
  };

  it('trusts an authority that another one has signed, without that one, as Go does', async () => {
    const root = await makeAuthority('root', making);
    await writeFile(path.join(folder, 'signed.crt'), await crossSign(authority.certificatePEM, root, making));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/review`;
    await writeFile(path.join(folder, 'by-signed'), kubeconfig(url).replace('ca.crt', 'signed.crt'));
    answer = (_request, response) => void response.end('{"status":{}}');
    const other = await createReviewWebhook(path.join(folder, 'by-signed'), { clock: systemClock });
    assert.deepEqual(await other.post({ kind: 'TokenReview' }, { signal, timeoutMs: 3000 }), { status: {} });
    other.close();
  });

  it('posts the review to the path of the URL, with its certificate and its timeout, and gives the answer', async () => {
    let seen: unknown;
    answer = (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        seen = [request.method, request.url, subject.CN, request.headers['content-type'], JSON.parse(text)];
        response.end('{"kind":"TokenReview","status":{}}');
      });
    };
    assert.deepEqual(await post(), { kind: 'TokenReview', status: {} });
    assert.deepEqual(seen, ['POST', '/review?timeout=3s', 'apiserver', 'application/json', { kind: 'TokenReview' }]);
  });

  it('gives up in time on a server that hangs, that drips, and that never ends its headers', async () => {
    for (const hanging of [
      () => {},
      (_, response) => void response.write('{'),
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(drip));
      },
    ] as RequestListener[]) {
      answer = hanging;
      const startMs = systemClock.monotonicMs();
      const error = await failure(300);
      assert.ok(systemClock.monotonicMs() - startMs < 1500);
      assert.equal(error.isTimeout, true);
      assert.match(error.message, /^Post "https:\/\/127\.0\.0\.1:\d+\/review\?timeout=0\.3s": context deadline exceeded$/);
    }
  });

  it('reads no answer without end, and follows no redirect', async () => {
    answer = (_, response) => {
      const chunk = Buffer.alloc(65_536, 0x20);
      const more = () => void (response.destroyed || (response.write(chunk) ? setImmediate(more) : response.once('drain', more)));
      more();
    };
    assert.match((await failure()).message, /^Response body was larger than 1048576 bytes$/);
    let requests = 0;
    answer = (_, response) => {
      requests++;
      response.writeHead(307, { location: '/elsewhere' }).end();
    };
    assert.equal((await failure()).statusCode, 307);
    assert.equal(requests, 1);
  });

  it('tells failures that may pass from those that will not', async () => {
    const cases: [RequestListener, Partial<WebhookError>][] = [
      [(_, response) => response.writeHead(500).end(), { statusCode: 500, isRetriable: true, isTimeout: false }],
      [(_, response) => response.writeHead(504).end(), { statusCode: 504, isRetriable: true, isTimeout: true }],
      [(_, response) => response.writeHead(429, { 'retry-after': '2' }).end(), { statusCode: 429, isRetriable: true, retryAfterMs: 2000 }],
      [(_, response) => response.writeHead(503).end(), { statusCode: 503, isRetriable: false }],
      [(_, response) => response.writeHead(503, { 'retry-after': '1' }).end(), { statusCode: 503, isRetriable: true }],
      [
        (_, response) => response.writeHead(403).end('{"kind":"Status","message":"go away"}'),
        { statusCode: 403, isRetriable: false, message: 'go away' },
      ],
      [(request) => request.socket.destroy(), { statusCode: 0, isRetriable: true }],
      [(_, response) => response.end('<html>'), { statusCode: 200, isRetriable: false }],
    ];
    for (const [listener, expected] of cases) {
      answer = listener;
      const error = await failure();
      for (const [name, value] of Object.entries(expected))
        assert.equal(error[name as keyof WebhookError], value, `${name}: ${error.message}`);
    }
  });

  it('is asked five times, and not for what will not pass', async () => {
    let requests = 0;
    answer = (_, response) => {
      requests++;
      response.writeHead(requests < 3 ? 500 : 200).end('{"kind":"TokenReview"}');
    };
    const dependencies = { clock: systemClock, random: createSeededRandom(2), signal };
    assert.deepEqual(await retryWebhook(() => post(), dependencies), { kind: 'TokenReview' });
    assert.equal(requests, 3);
    answer = (_, response) => {
      requests++;
      response.writeHead(400).end();
    };
    await assert.rejects(retryWebhook(() => post(), dependencies));
    assert.equal(requests, 4);
  });

  it('trusts nobody but the CA of its kubeconfig', async () => {
    await writeFile(
      path.join(folder, 'other'),
      kubeconfig(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`).replace(', certificate-authority: ca.crt', ''),
    );
    const other = await createReviewWebhook(path.join(folder, 'other'), { clock: systemClock });
    await assert.rejects(other.post({}, { signal, timeoutMs: 3000 }), /unable to (verify|get local issuer)|self-signed/);
    other.close();
  });

  it('says what of a kubeconfig cannot be used', async () => {
    const parse =
      (user: string, url = 'https://h') =>
      () =>
        parseWebhookKubeconfig(kubeconfig(url, user), '/x/kubeconfig');
    assert.throws(parse('{ exec: { command: x } }'), /user\.exec is not supported for webhooks/);
    assert.throws(parse('{ client-certificate: a }'), /client-key-data or client-key must be specified/);
    assert.throws(parse('{}', 'ftp://h'), /is not a URL with http or https/);
    assert.throws(() => parseWebhookKubeconfig('current-context: zz', 'f'), /context was not found for specified context: zz/);
    assert.deepEqual(parse('{ tokenFile: t }')().token, { file: '/x/t' });
    await assert.rejects(createReviewWebhook(path.join(folder, 'absent'), { clock: systemClock }), /ENOENT/);
  });

  it('works over plain HTTP', async () => {
    const plain = createServer(
      (request, response) => void response.end(JSON.stringify({ url: request.url, auth: request.headers.authorization })),
    );
    await new Promise<void>((resolve) => {
      plain.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    await writeFile(
      path.join(folder, 'plain'),
      kubeconfig(url, '{ username: a, password: b }').replace(', certificate-authority: ca.crt', ''),
    );
    const one = await createReviewWebhook(path.join(folder, 'plain'), { clock: systemClock });
    assert.deepEqual(await one.post({}, { signal, timeoutMs: 30_000 }), { url: '/?timeout=30s', auth: 'Basic YTpi' });
    one.close();
    plain.close();
  });
});
