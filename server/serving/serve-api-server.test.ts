import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createHTTPTransport } from '../../api/client/http-transport.ts';
import { withUser } from '../../api/client/with-user.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { clusterRoleBindings } from '../../api/resources/rbac/v1/cluster-role-binding.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../apiserver/testing/start-api-server.ts';
import { clientCertificate, type KeyPairPEM, serverCertificate } from '../pki/certificate-spec.ts';
import { makeCertificate } from '../pki/make-certificate.ts';
import { serve, type ServingEndpoint } from './serve.ts';

/** The whole way of a request: sockets, TLS, chain, registry, store, watch cache and back. */
describe('an API server behind sockets', () => {
  const making = { clock: systemClock, random: systemRandom };
  let server: TestAPIServer;
  let endpoint: ServingEndpoint;
  let admin: KeyPairPEM;
  let jane: KeyPairPEM;

  before(async () => {
    server = await startAPIServerInProcess();
    const { clusterCA } = server;
    const certificate = await makeCertificate(
      serverCertificate({ clusterDomain: 'cluster.local', serviceAddresses: ['10.96.0.1'], hostNames: [], addresses: [] }),
      clusterCA,
      making,
    );
    admin = await makeCertificate(clientCertificate('kubernetes-admin', ['system:masters']), clusterCA, making);
    jane = await makeCertificate(clientCertificate('jane', ['dev']), clusterCA, making);
    endpoint = await serve({
      transport: server.transport,
      host: '127.0.0.1',
      port: 0,
      certificate,
      clientCAsPEM: [clusterCA.certificatePEM],
      clock: systemClock,
      logger: silentLogger,
    });
  });
  after(async () => {
    await Promise.all([server.close(), endpoint.close(1000)]);
  });

  const url = () => `https://127.0.0.1:${endpoint.port}`;
  const credentials = (pair?: KeyPairPEM) => ({
    ca: server.clusterCA.certificatePEM,
    ...(pair ? { cert: pair.certificatePEM, key: pair.keyPEM } : {}),
  });

  async function get1(path: string, pair?: KeyPairPEM) {
    const request = https.get(`${url()}${path}`, { ...credentials(pair), agent: false });
    const [response] = await once(request, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, body };
  }

  async function get2(path: string, pair?: KeyPairPEM) {
    const session = http2.connect(url(), credentials(pair));
    const stream = session.request({ ':path': path });
    const [headers] = await once(stream, 'response');
    let body = '';
    for await (const chunk of stream) body += chunk;
    session.close();
    return { status: headers[':status'], body };
  }

  it('ends large objects with a newline as well as small ones, compressed or not', async () => {
    const client = createClient(withUser(server.transport, { name: 'admin', groups: ['system:masters', 'system:authenticated'] }));
    for (const size of [10, 60_000, 70_000, 1_000_000])
      await client(configMaps).create({ metadata: { namespace: 'default', name: `of-${size}` }, data: { a: 'x'.repeat(size) } });
    for (const size of [10, 60_000, 70_000, 1_000_000]) {
      const path = `/api/v1/namespaces/default/configmaps/of-${size}`;
      for (const get of [get1, get2]) {
        const { status, body } = await get(path, admin);
        assert.deepEqual([status, body.endsWith('}\n')], [200, true], `${size} bytes`);
        assert.equal(JSON.parse(body).data.a.length, size);
      }
      const request = https.get(`${url()}${path}`, { ...credentials(admin), agent: false, headers: { 'accept-encoding': 'gzip' } });
      const [response] = await once(request, 'response');
      const parts: Buffer[] = [];
      for await (const chunk of response) parts.push(chunk);
      const isZipped = response.headers['content-encoding'] === 'gzip';
      const whole = isZipped ? gunzipSync(Buffer.concat(parts)) : Buffer.concat(parts);
      assert.deepEqual([isZipped, whole.subarray(-2).toString()], [size > 131_072, '}\n'], `${size} bytes, compressed`);
    }
  });

  for (const [protocol, get] of [
    ['HTTP/1.1', get1],
    ['HTTP/2', get2],
  ] as const) {
    it(`knows who asks over ${protocol}`, async () => {
      assert.equal((await get('/api/v1/namespaces/default', admin)).status, 200);
      const refused = await get('/api/v1/namespaces/default', jane);
      assert.equal(refused.status, 403);
      assert.equal(
        JSON.parse(refused.body).message,
        'namespaces "default" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "default"',
      );
      assert.match(
        (await get('/api/v1/nodes')).body,
        /User \\"system:anonymous\\" cannot list resource \\"nodes\\" in API group \\"\\" at the cluster scope/,
      );
      assert.equal((await get('/readyz')).body, 'ok');
      assert.equal((await get('/nowhere', admin)).body, '404 page not found\n');
    });
  }

  it('obeys a new binding', async () => {
    await server.client(clusterRoleBindings).create({
      metadata: { name: 'devs-view' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'dev' }],
    });
    while ((await get1('/api/v1/configmaps', jane)).status !== 200) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await get1('/api/v1/secrets', jane)).status, 403);
  });

  it('carries writes and watches, and ends watches when it closes', async () => {
    const connection = createHTTPTransport({
      server: url(),
      ca: server.clusterCA.certificatePEM,
      certificate: admin.certificatePEM,
      key: admin.keyPEM,
      clock: systemClock,
    });
    const client = createClient(connection.transport);
    const created = await client(configMaps).create({ metadata: { namespace: 'default', name: 'a' }, data: { x: '1' } });
    const watch = client(configMaps)
      .watch({ namespace: 'default', resourceVersion: created.metadata.resourceVersion ?? '' })
      [Symbol.asyncIterator]();
    const next = watch.next();
    await client(configMaps).update({ ...created, data: { x: '2' } });
    const event = await next;
    assert.deepEqual([event.value?.type, event.value?.object.data], ['MODIFIED', { x: '2' }]);
    const last = watch.next();
    await server.close();
    assert.equal((await last).done, true);
    const refused = await get2('/api/v1/namespaces', admin);
    assert.equal(refused.status, 503);
    connection.close();
  });
});
