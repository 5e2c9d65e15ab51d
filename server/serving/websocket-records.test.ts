import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { fixedValue } from '../../api/base/watched-value.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../api/resources/core/v1/service-account.ts';
import { encodeWebSocketFrame, websocketOpcodes } from '../../api/streaming/websocket-frames.ts';
import { createResources } from '../control-plane/create-resources.ts';
import { clientCertificate } from '../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../pki/make-certificate.ts';
import { createDialer } from './dialer.ts';
import { ownAddress } from './testing/own-address.ts';
import { type ServedServer, startServedServer } from './testing/start-served-server.ts';

describe('TLS records of a WebSocket', function () {
  this.timeout(60_000);
  let served: ServedServer;
  let backend: net.Server;
  const frames = ['output', 'error output', 'outcome'].map((text) =>
    Buffer.from(encodeWebSocketFrame(websocketOpcodes.binary, Buffer.from(text))),
  );
  before(async function () {
    const address = ownAddress();
    if (address === undefined) return this.skip();
    backend = net.createServer((socket) => {
      socket.on('error', () => {});
      const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      // A Pod that sends all it has at once and closes.
      socket.once('data', () => socket.end(Buffer.concat([Buffer.from(head), ...frames])));
    });
    backend.listen(0, '0.0.0.0');
    await once(backend, 'listening');
    const making = { clock: systemClock, random: createSeededRandom(3) };
    const kubeletClient = await makeCertificate(clientCertificate('kubelet-client', []), await makeAuthority('ca', making), making);
    const dialer = createDialer({ clock: systemClock, kubeletClient: fixedValue(kubeletClient) });
    served = await startServedServer({
      createResources: (parts, storage, caches) => createResources({ storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer }, parts),
    });
    await served.client(serviceAccounts).create({ metadata: { namespace: 'default', name: 'default' } });
    const ports = [{ containerPort: (backend.address() as AddressInfo).port }];
    const spec = { nodeName: 'node', containers: [{ name: 'c', image: 'x', ports }] };
    const pod = await served.client(pods).create({ metadata: { namespace: 'default', name: 'p' }, spec });
    await served.client(pods).updateStatus({ ...pod, status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } });
  });
  after(async () => {
    await served?.close();
    backend?.close();
  });

  it('hold one frame each: a client that polls the socket before each frame sees them all', async () => {
    const { ca, cert, key } = await served.credentials();
    for (let round = 0; round < 20; round++) {
      const socket = tls.connect({ port: served.endpoint.port, host: '127.0.0.1', ca, cert, key, checkServerIdentity: () => undefined });
      const records: Buffer[] = [];
      socket.on('data', (record: Buffer) => records.push(record)); // Node reads one record at a time
      await once(socket, 'secureConnect');
      socket.write(
        [
          'GET /api/v1/namespaces/default/pods/p/proxy/ HTTP/1.1',
          ...['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
          ...['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''],
        ].join('\r\n'),
      );
      await once(socket, 'end');
      const [head, ...rest] = records;
      assert.match(String(head), /^HTTP\/1.1 101 [^]*\r\n\r\n$/);
      assert.deepEqual(rest, frames);
      socket.destroy();
    }
  });
});
