import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Logger, silentLogger } from '../../api/base/logger.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../api/schema/testing/fuzz-runs.ts';
import { createOpenAPIDocuments } from '../control-plane/openapi-documents.ts';
import { createResources } from '../control-plane/create-resources.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../apiserver/testing/start-api-server.ts';
import { clientCertificate, type KeyPairPEM, serverCertificate } from '../pki/certificate-spec.ts';
import { makeCertificate } from '../pki/make-certificate.ts';
import { serve, type ServingEndpoint } from './serve.ts';
import { createMalformedRequests, type MalformedRequest } from './testing/malformed-request.ts';
import { openRawConnection, type RawAnswer, type RawConnection } from './testing/raw-connection.ts';

const requests = fuzzRuns(3000, 100_000);
const connections = 8;
/** How long the server may take to answer (/metrics has taken more than 8 s on a busy machine), or to drop what is no request. */
const silenceMs = { RAW: 150, other: 30_000 };
/** The growth of memory allowed after a hundred thousand requests, beside the objects that they made. */
const allowedGrowthBytes = 60 * 1024 * 1024;

/** The requests that upstream, too, answers with 500. */
const upstreamFailures = [
  'without impersonating a user',
  'resourceVersion should not be set on objects to be created',
  'target.name: Required value',
  'target.kind: Unsupported value',
  'strconv.ParseUint: parsing',
];

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe(`${requests} malformed requests over sockets`, function () {
  this.timeout(3_600_000);
  const making = { clock: systemClock, random: systemRandom };
  const complaints: string[] = [];
  let server: TestAPIServer;
  let endpoint: ServingEndpoint;
  let admin: KeyPairPEM;

  before(async () => {
    const complain = (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      const { error } = fields;
      complaints.push(`${message} ${error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(fields)}`);
    };
    const logger: Logger = { ...silentLogger, error: complain, with: () => logger };
    const dialer = { send: () => Promise.reject(new Error('there is no network')) };
    server = await startAPIServerInProcess({
      overrides: { logger, openAPI: createOpenAPIDocuments() },
      createResources: (parts, storage, caches) => createResources({ storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer }, parts),
    });
    const names = { clusterDomain: 'cluster.local', serviceAddresses: [], hostNames: [], addresses: ['127.0.0.1'] };
    const certificate = await makeCertificate(serverCertificate(names), server.clusterCA, making);
    admin = await makeCertificate(clientCertificate('kubernetes-admin', ['system:masters']), server.clusterCA, making);
    endpoint = await serve({
      transport: server.transport,
      host: '127.0.0.1',
      port: 0,
      certificate,
      clientCAsPEM: [server.clusterCA.certificatePEM],
      clock: systemClock,
      logger,
    });
  });
  after(async () => {
    await Promise.all([server.close(), endpoint.close(500)]);
  });

  const open = (protocols: readonly string[]) =>
    openRawConnection({
      port: endpoint.port,
      ca: server.clusterCA.certificatePEM,
      cert: admin.certificatePEM,
      key: admin.keyPEM,
      protocols,
    });

  const problems: string[] = [];

  function check({ about, bytes, method }: MalformedRequest, { status, headers, body }: RawAnswer): void {
    const show = (what: string) => {
      if (problems.length < 20)
        problems.push(
          `${what}\n  ${about}\n  ${JSON.stringify(bytes.toString('latin1').slice(0, 1500))}\n  ${body.toString().slice(0, 300)}`,
        );
    };
    if (status === 500 && upstreamFailures.some((text) => body.includes(text))) return;
    // HEAD shows no body to tell them by.
    if (status === 500 && method === 'HEAD' && /Impersonate-/.test(bytes.toString())) return;
    // Proxies and streams have no backend that they could reach.
    // 505: another version of the protocol.
    if (status >= 500 && status !== 503 && status !== 505) show(`status ${status}`);
    if (status === 0 && method !== 'RAW') show('no answer');
    if (
      headers.get('content-type') === 'application/json' &&
      body.length > 0 &&
      method !== 'RAW' &&
      method !== 'HEAD' &&
      !about.includes('watch')
    ) {
      try {
        const answer = JSON.parse(body.toString()) as { kind?: string; code?: number };
        if (answer.kind === 'Status' && answer.code !== undefined && answer.code !== status)
          show(`status ${status} of a Status of ${answer.code}`);
      } catch (error) {
        show(`answer that is no JSON: ${String(error)}`);
      }
    }
  }

  async function send(count: number, next: () => MalformedRequest): Promise<void> {
    const turns = fuzzTurns('malformed requests', count);
    const work = async () => {
      let connection: RawConnection | undefined;
      for (const _ of turns) {
        const request = next();
        if (!connection?.isOpen) connection = await open(['http/1.1']);
        const isRaw = request.method === 'RAW';
        const answer = await connection.exchange(request.bytes, {
          isHead: request.method === 'HEAD',
          waitMs: isRaw ? silenceMs.RAW : silenceMs.other,
        });
        check(request, answer);
        // A request that was refused as no HTTP, or was left unanswered, has left the connection in no defined state.
        if (isRaw || answer.status === 0 || answer.status === 101 || answer.headers.get('connection') === 'close') {
          connection.close();
          connection = undefined;
        }
      }
      connection?.close();
    };
    await Promise.all(Array.from({ length: connections }, work));
  }

  it('are answered, none with 500, and leave no memory behind', async () => {
    const next = createMalformedRequests(createSeededRandom(fuzzSeed()));
    // Caches, code and the objects that the requests make are there after the first tenths.
    await send(Math.round(requests * 0.4), next);
    const before = heapBytes();
    await send(Math.round(requests * 0.6), next);
    const growth = heapBytes() - before;
    assert.deepEqual(problems, [], problems.join('\n'));
    assert.deepEqual(complaints, [], complaints.slice(0, 5).join('\n'));
    assert.ok(growth < allowedGrowthBytes, `${Math.round(growth / 1024 / 1024)} MB more than before`);
  });

  it('and so are bytes where HTTP/2 has been agreed on', async () => {
    const random = createSeededRandom(fuzzSeed() + 1);
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    for (let round = 0; round < requests / 300; round++) {
      const connection = await open(['h2']);
      const frame = Buffer.concat([
        Buffer.of(0, 0, random.bytes(1)[0] ?? 0, (random.bytes(1)[0] ?? 0) % 11),
        Buffer.from(random.bytes(5)),
        Buffer.from(random.bytes(200)),
      ]);
      await connection.exchange(Buffer.concat([round % 5 === 0 ? Buffer.alloc(0) : preface, frame]), { isHead: false, waitMs: 20 });
      connection.close();
    }
    assert.deepEqual(complaints, []);
  });

  it('after which the server is as well as before', async () => {
    const connection = await open(['http/1.1']);
    const get = (path: string) =>
      connection.exchange(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`), { isHead: false, waitMs: 5000 });
    assert.equal((await get('/readyz')).body.toString(), 'ok');
    assert.equal((await get('/api/v1/namespaces/default')).status, 200);
    connection.close();
  });
});
