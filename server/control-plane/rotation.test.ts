import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { type Logger, silentLogger } from '../../api/base/logger.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import type { Client } from '../../api/client/client.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createHTTPTransport, type HTTPTransport } from '../../api/client/http-transport.ts';
import { waitFor } from '../../api/client/wait-for.ts';
import { configMaps } from '../../api/resources/core/v1/config-map.ts';
import { secrets } from '../../api/resources/core/v1/secret.ts';
import { selfSubjectReviews } from '../../api/resources/authentication/v1/self-subject-review.ts';
import { clusterAuthoritiesKey } from '../../api/semantics/certificates/cluster-authorities.ts';
import { fingerprintOf, issuerOf, readCertificates } from '../../node-agent/kubelet/certificates/authorities.ts';
import { createNodeTransport, type NodeTransport } from '../../node-agent/kubelet/certificates/node-transport.ts';
import { createHostFiles } from '../../node-agent/linux/files/host-files.ts';
import { planFinish, planIssue, planStart } from '../pki/rotate-authorities.ts';
import { planRenewal } from '../pki/renew-certificates.ts';
import { createPKIFiles } from './pki-files.ts';
import { type ControlPlane, startControlPlane } from './start-control-plane.ts';

const making = { clock: systemClock, random: systemRandom };
const within = { withinSeconds: 40, everyMs: 50, clock: systemClock, signal: new AbortController().signal };

/** A running control plane, and a node on another machine, while keys and certificates are replaced. */
describe('a control plane whose certificates are replaced', function () {
  this.timeout(180_000);
  const stopping = new AbortController();
  const complaints: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (message, fields) => void complaints.push(`${message} ${JSON.stringify(fields)}`),
    with: () => logger,
  };
  let directory: string;
  let controlPlane: ControlPlane;
  let server: string;
  let node: NodeTransport;
  let running: Promise<void> | undefined;
  const old: { client?: HTTPTransport; ca?: string } = {};
  const files = () => createPKIFiles(path.join(directory, 'pki'));
  const commit = async (plan: (contents: ReadonlyMap<string, string>) => ReturnType<typeof planFinish> | ReturnType<typeof planStart>) =>
    files().exclusively(async (held) => held.commit(await plan(await held.readAll())));
  const connect = (pair: 'admin', ca = controlPlane.pki.get().clusterCA.certificatePEM) => {
    const { certificatePEM, keyPEM } = controlPlane.pki.get()[pair];
    return createHTTPTransport({ server, ca, certificate: certificatePEM, key: keyPEM, clock: systemClock });
  };
  const whoAmI = async (client: Client) => (await client(selfSubjectReviews).create({ metadata: {} })).status?.userInfo?.username;
  const served = () =>
    new Promise<X509Certificate | undefined>((resolve, reject) => {
      const socket = tls.connect({ port: controlPlane.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate());
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const isServed = async (name: string) =>
    (await served())?.raw.equals(new X509Certificate((await files().readAll()).get(`${name}.crt`) ?? '').raw) === true;

  before(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-rotation-'));
    controlPlane = await startControlPlane({
      ...{ storage: { kind: 'memory' }, storageDirectory: path.join(directory, 'storage'), pkiDirectory: path.join(directory, 'pki') },
      ...{ bindAddress: '127.0.0.1', port: 0, serviceCIDRs: ['10.96.0.0/12'], clusterCIDR: '10.244.0.0/16', nodeCIDRMaskSize: 24 },
      ...{ podNetwork: 'host-gw', clusterDomain: 'cluster.local', scheduler: false, logger: silentLogger },
    });
    server = `https://127.0.0.1:${controlPlane.port}`;
    old.client = connect('admin');
    old.ca = controlPlane.pki.get().clusterCA.certificatePEM;
    await createClient(old.client.transport)(secrets).create({
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      },
    });
    node = await createNodeTransport(
      {
        bootstrap: { server, ca: old.ca, token: 'abcdef.0123456789abcdef' },
        ...{ nodeName: 'worker', certificateDirectory: path.join(directory, 'node'), files: createHostFiles() },
        ...{ clock: systemClock, random: systemRandom, logger },
      },
      stopping.signal,
    );
    running = node.credentials.run(stopping.signal);
  });
  after(async () => {
    stopping.abort();
    await running;
    node?.close();
    old.client?.close();
    await controlPlane?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const asNode = () => createClient(node.transport);
  const asOld = () => createClient(old.client?.transport ?? node.transport);

  it('serves with a renewed certificate at once, and open connections go on', async () => {
    await commit((contents) => planRenewal(contents, ['apiserver'], making));
    await waitFor('the new certificate', () => isServed('apiserver'), within);
    assert.equal(await whoAmI(asOld()), 'kubernetes-admin');
  });

  it('has both authorities trusted: by itself, in the API and by nodes', async () => {
    await commit((contents) => planStart(contents, { authorities: ['ca', 'front-proxy-ca'] }, making));
    await waitFor('the node', async () => readCertificates(node.credentials.authorities.get()).length === 2, within);
    assert.equal(readFileSync(path.join(directory, 'node/cluster-ca.crt'), 'utf8'), node.credentials.authorities.get());
    const key = { namespace: 'default', name: 'kube-root-ca.crt' };
    const bundle = async () => (await asOld()(configMaps).get(key)).data?.['ca.crt'] === (await files().readAll()).get('ca.crt');
    await waitFor('the bundle of Pods', bundle, within);
    const info = await asOld()(configMaps).get({ namespace: 'kube-public', name: 'cluster-info' });
    assert.ok(info.data?.['kubeconfig']?.includes(Buffer.from((await files().readAll()).get('ca.crt') ?? '').toString('base64')));
    assert.equal(await whoAmI(asNode()), 'system:node:worker');
  });

  it('issues by the new one; nodes follow, and clients that know the old one only are served', async () => {
    await commit((contents) => planIssue(contents, making));
    await waitFor('the new certificate', () => isServed('apiserver'), within);
    const signing = fingerprintOf(new X509Certificate((await files().readAll()).get('ca.crt') ?? ''));
    const follows = () => issuerOf(node.credentials.client.get(), node.credentials.authorities.get()) === signing;
    await waitFor('a certificate of the node by the new authority', async () => follows(), within);
    assert.equal(await whoAmI(asNode()), 'system:node:worker');
    // A connection of its own, with the certificate and the authority of before.
    const again = createHTTPTransport({
      ...{ server, ca: old.ca ?? '', clock: systemClock },
      ...{ certificate: (await files().readAll()).get('admin.crt') ?? '', key: (await files().readAll()).get('admin.key') ?? '' },
    });
    assert.equal(await whoAmI(createClient(again.transport)), 'kubernetes-admin');
    again.close();
    assert.equal(await whoAmI(asOld()), 'kubernetes-admin');
  });

  it('drops the old one: its certificates are refused on open connections, too, and the node goes on', async () => {
    await commit(planFinish);
    await waitFor(
      'the end of the old certificate',
      () =>
        whoAmI(asOld()).then(
          () => false,
          (error: unknown) => /Unauthorized/.test(String(error)),
        ),
      within,
    );
    await waitFor('the node', async () => readCertificates(node.credentials.authorities.get()).length === 1, within);
    assert.equal(await whoAmI(asNode()), 'system:node:worker');
    const stranger = createHTTPTransport({ server, ca: old.ca ?? '', clock: systemClock });
    await assert.rejects(stranger.transport({ method: 'GET', path: '/version', query: '', headers: {}, signal: stopping.signal }));
    stranger.close();
  });

  it('has nodes refuse authorities that nobody vouches for, whoever writes them', async () => {
    const admin = connect('admin');
    const before = node.credentials.authorities.get();
    const client = createClient(admin.transport);
    const present = await client(configMaps).get(clusterAuthoritiesKey);
    await client(configMaps).update({ ...present, data: { ...present.data, 'ca.crt': `${before}${old.ca}` } });
    await waitFor(
      'the refusal',
      async () => complaints.some((text) => /no authority that is trusted vouches for CN=kubernetes,/.test(text)),
      within,
    );
    assert.equal(node.credentials.authorities.get(), before);
    admin.close();
  });
});
