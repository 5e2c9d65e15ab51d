import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { fixedValue } from '../../api/base/watched-value.ts';
import { randomInt } from '../../api/base/random.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { fuzzRuns, fuzzSeed, fuzzTurns } from '../../api/schema/testing/fuzz-runs.ts';
import { createResources } from '../control-plane/create-resources.ts';
import { serviceAccounts } from '../../api/resources/core/v1/service-account.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { clientCertificate } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { createDialer } from './dialer.ts';
import { ownAddress } from './testing/own-address.ts';
import { type Credentials, type ServedServer, startServedServer } from './testing/start-served-server.ts';

const requests = fuzzRuns(160, 10_000);
const connectionsAtOnce = 8;

/** Pods that users may connect to through the API server, and that answer whatever they like. */
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const answers: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.write(switching, () => socket.resetAndDestroy()),
  (socket) => void socket.end(switching),
  (socket) => socket.write(`${switching}${'x'.repeat(100_000)}`, () => socket.resetAndDestroy()),
  (socket) => socket.pipe(socket.on('error', () => {})),
  (socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  (socket) => void socket.end('HTTP/1.1 101 \u0001\u0002\r\nUpgrade: \u0000\r\n\r\n'),
  (socket) => void socket.end('not HTTP at all'),
  (socket) => void socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort`),
  (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', () => socket.resetAndDestroy()),
  (socket) => void socket.end(`HTTP/1.1 500 ${'x'.repeat(50_000)}\r\n\r\n`),
  (socket) => socket.resetAndDestroy(),
  (socket) => void socket.destroy(),
];

describe(`${requests} odd upgrades through the API server`, function () {
  this.timeout(1_200_000);
  const random = createSeededRandom(fuzzSeed());
  let served: ServedServer;
  let credentials: Credentials;
  let backend: net.Server;
  let asked = 0;
  before(async function () {
    const address = ownAddress();
    if (address === undefined) return this.skip();
    backend = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        asked++;
        answers[randomInt(random, answers.length)]?.(socket);
      });
    });
    backend.listen(0, '0.0.0.0');
    await once(backend, 'listening');
    const making = { clock: systemClock, random };
    const kubeletClient = await makeCertificate(clientCertificate('kubelet-client', []), await makeAuthority('ca', making), making);
    const dialer = createDialer({ clock: systemClock, kubeletClient: fixedValue(kubeletClient) });
    served = await startServedServer({
      createResources: (parts, storage, caches) => createResources({ storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer }, parts),
    });
    credentials = await served.credentials();
    await served.client(serviceAccounts).create({ metadata: { namespace: 'default', name: 'default' } });
    const spec = {
      nodeName: 'node',
      containers: [{ name: 'c', image: 'x', ports: [{ containerPort: (backend.address() as AddressInfo).port }] }],
    };
    const pod = await served.client(pods).create({ metadata: { namespace: 'default', name: 'p' }, spec });
    await served.client(pods).updateStatus({ ...pod, status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } });
  });
  after(async () => {
    await served?.close();
    backend?.close();
  });

  const connect = async (): Promise<TLSSocket> => {
    const { ca, cert, key } = credentials;
    const socket = tls.connect({ port: served.endpoint.port, host: '127.0.0.1', ca, cert, key, checkServerIdentity: () => undefined });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    return socket;
  };
  const paths = [
    `/api/v1/namespaces/default/pods/p/proxy/`,
    '/api/v1/namespaces/default/pods/p/exec?command=x&stdout=1',
    '/api/v1/namespaces/default/pods/p/log',
    '/api/v1/pods?watch=1',
    '/api/v1/namespaces/default/pods/%zz/proxy/',
    '/%',
    '//',
  ];
  const pick = <T>(values: readonly T[]): T => values[randomInt(random, values.length)] as T;
  const head = () =>
    [
      `GET ${randomInt(random, 3) === 0 ? pick(paths) : paths[0]} HTTP/1.1`,
      ...['Host: x', 'Connection: Upgrade', `Upgrade: ${pick(['websocket', 'SPDY/3.1', 'x', 'h2c'])}`, 'Origin: /x'],
      ...['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', `Sec-WebSocket-Version: ${pick(['13', '8', ''])}`, '', ''],
    ].join('\r\n');
  const frames = [
    Buffer.from('ffffffffffff', 'hex'),
    Buffer.from('818200000000c328', 'hex'),
    Buffer.from('82ff7fffffffffffffff00000000', 'hex'),
  ];

  const sendOne = async () => {
    const socket = await connect();
    socket.write(Buffer.concat([Buffer.from(head()), ...(randomInt(random, 2) === 0 ? [pick(frames)] : [])]));
    await new Promise<void>((resolve) => {
      const timer = systemClock.setTimer(randomInt(random, 60), () => resolve());
      socket.once('close', () => {
        timer.cancel();
        resolve();
      });
    });
    if (randomInt(random, 2) === 0 && !socket.destroyed) socket.write(pick(frames));
    socket.destroy();
  };

  it('do the server no harm', async () => {
    let sent = 0;
    const turns = fuzzTurns('odd upgrades', requests);
    const client = async () => {
      for (const _ of turns) {
        await sendOne();
        sent++;
      }
    };
    await Promise.all(Array.from({ length: connectionsAtOnce }, client));
    assert.equal(asked > sent / 4, true, `${asked} came to the Pod`);
    assert.equal((await served.client(pods).get({ namespace: 'default', name: 'p' })).metadata.name, 'p');
  });
});
