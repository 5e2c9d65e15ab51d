import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { withUser } from '../../../api/client/with-user.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { selfSubjectReviews } from '../../../api/resources/authentication/v1/self-subject-review.ts';
import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { nodeConfigurationKey, parseNodeConfiguration } from '../../../api/semantics/nodes/node-configuration.ts';
import { createNodeTransport, type NodeTransport } from '../../../node-agent/kubelet/certificates/node-transport.ts';
import { requestCertificate } from '../../../node-agent/kubelet/certificates/request-certificate.ts';
import { createHostFiles } from '../../../node-agent/linux/files/host-files.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/start-control-plane.ts';
import { checkNodeName } from './check-node-name.ts';
import { discoverCluster, publicKeyHash } from './discovery.ts';

const within = { withinSeconds: 5, everyMs: 10, clock: systemClock };

describe('joining a cluster', function () {
  this.timeout(60_000);
  let directory: string;
  let controlPlane: ControlPlane;
  let admin: Client;
  let server: string;
  let hash: string;
  before(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-joining-'));
    controlPlane = await startControlPlane({
      storage: { kind: 'memory' },
      storageDirectory: directory,
      pkiDirectory: path.join(directory, 'pki'),
      bindAddress: '127.0.0.1',
      advertiseAddress: '127.0.0.1',
      port: 0,
      serviceCIDRs: ['10.96.0.0/12'],
      clusterCIDR: '10.200.0.0/16',
      nodeCIDRMaskSize: 24,
      podNetwork: 'vxlan',
      clusterDomain: 'cluster.local',
      logger: silentLogger,
    });
    admin = createClient(withUser(controlPlane.transport, { name: 'admin', groups: ['system:masters', 'system:authenticated'] }));
    server = `https://127.0.0.1:${controlPlane.port}`;
    hash = publicKeyHash(controlPlane.pki.get().clusterCA.certificatePEM);
    await makeToken('abcdef', '0123456789abcdef');
  });
  after(async () => {
    await controlPlane?.stop();
    rmSync(directory, { recursive: true });
  });

  async function makeToken(id: string, secret: string, extra: Readonly<Record<string, string>> = {}): Promise<void> {
    await admin(secrets).create({
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': id,
        'token-secret': secret,
        'usage-bootstrap-authentication': 'true',
        'usage-bootstrap-signing': 'true',
        'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
        ...extra,
      },
    });
    await waitFor('the signature', () => hasSignature(id), within);
  }

  async function hasSignature(id: string): Promise<boolean> {
    const info = await admin(configMaps).get({ namespace: 'kube-public', name: 'cluster-info' });
    return info.data?.[`jws-kubeconfig-${id}`] !== undefined;
  }

  it('learns the CA from a server that proves to know the token', async () => {
    const cluster = await discoverCluster({ server, token: 'abcdef.0123456789abcdef', caHashes: ['sha256:00', hash] });
    assert.equal(cluster.caPEM, controlPlane.pki.get().clusterCA.certificatePEM);
  });

  it('names a CA by the hash of its public key, as kubeadm does', () => {
    const pem = controlPlane.pki.get().clusterCA.certificatePEM;
    const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
    assert.equal(hash, `sha256:${createHash('sha256').update(spki).digest('hex')}`);
  });

  for (const [name, token, hashes, message] of [
    ['a token that is none', 'abcdef', undefined, /a bootstrap token looks like abcdef\.0123456789abcdef/],
    ['an unknown token', 'aaaaaa.0123456789abcdef', undefined, /the token ID "aaaaaa" is invalid for this cluster or it has expired/],
    ['a wrong secret', 'abcdef.0123456789abcdee', undefined, /the signature of the cluster's information does not match token "abcdef"/],
    ['a wrong hash', 'abcdef.0123456789abcdef', ['sha256:00'], /has the hash sha256:[0-9a-f]{64}, which is not the one given/],
  ] as const) {
    it(`is refused with ${name}`, () => assert.rejects(discoverCluster({ server, token, caHashes: hashes ?? [hash] }), message));
  }

  it('fails where there is no server, or one that is none', async () => {
    const token = 'abcdef.0123456789abcdef';
    await assert.rejects(
      discoverCluster({ server: 'https://127.0.0.1:1', token, caHashes: [hash] }),
      /127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
    );
    await assert.rejects(discoverCluster({ server: 'http://127.0.0.1:1', token, caHashes: [hash] }), /is no address such as https:/);
  });

  it('is refused with a token that has ended', async () => {
    await makeToken('ending', '0123456789abcdef', { expiration: formatTime(systemClock.nowMs() + 4000) });
    const token = 'ending.0123456789abcdef';
    await discoverCluster({ server, token, caHashes: [hash] });
    await waitFor('the signature to go', async () => !(await hasSignature('ending')), within);
    await assert.rejects(
      discoverCluster({ server, token, caHashes: [hash] }),
      /the token ID "ending" is invalid for this cluster or it has expired/,
    );
    await waitFor(
      'the token to go',
      async () =>
        (await admin(secrets).list({ namespace: 'kube-system', fieldSelector: 'metadata.name=bootstrap-token-ending' })).items.length === 0,
      within,
    );
  });

  describe('as a node', () => {
    const stopping = new AbortController();
    let node: NodeTransport;
    const certificateFile = () => path.join(directory, 'certificates/kubelet-client-current.pem');
    /** In so many days, as far as the node is concerned. */
    const running: Promise<void>[] = [];
    const join = async (token: string, nodeName = 'worker', inDays = 0) => {
      const joined = await createNodeTransport(
        {
          bootstrap: { server, ca: controlPlane.pki.get().clusterCA.certificatePEM, token },
          nodeName,
          certificateDirectory: path.join(directory, 'certificates'),
          files: createHostFiles(),
          clock: { ...systemClock, nowMs: () => systemClock.nowMs() + inDays * 86_400_000 },
          random: systemRandom,
          logger: silentLogger,
        },
        stopping.signal,
      );
      running.push(joined.credentials.run(stopping.signal));
      return joined;
    };
    after(async () => {
      stopping.abort();
      await Promise.all(running);
      node?.close();
    });

    it('is not given a certificate for a token that is not good for that', async () => {
      await makeToken('signer', '0123456789abcdef', { 'usage-bootstrap-authentication': 'false' });
      await assert.rejects(join('signer.0123456789abcdef'), /Unauthorized/);
    });

    it('is given a certificate with which it is that node', async () => {
      node = await join('abcdef.0123456789abcdef');
      const { status } = await createClient(node.transport)(selfSubjectReviews).create({ metadata: {} });
      assert.equal(status?.userInfo?.username, 'system:node:worker');
      assert.deepEqual(status?.userInfo?.groups, ['system:nodes', 'system:authenticated']);
      const issued = new X509Certificate(readFileSync(certificateFile()));
      assert.ok(issued.checkIssued(new X509Certificate(controlPlane.pki.get().clusterCA.certificatePEM)));
      const [request] = (await admin(certificateSigningRequests).list()).items;
      assert.equal(request?.spec.username, 'system:bootstrap:abcdef');
      assert.equal(request?.status?.conditions?.[0]?.message, 'Auto approving kubelet client certificate after SubjectAccessReview.');
    });

    it('reads what all nodes have in common', async () => {
      const { data } = await createClient(node.transport)(configMaps).get(nodeConfigurationKey);
      assert.deepEqual(parseNodeConfiguration(data), {
        clusterCIDR: '10.200.0.0/16',
        clusterDNS: '10.96.0.10',
        clusterDomain: 'cluster.local',
        podNetwork: 'vxlan',
      });
    });

    it('comes back without a token, and needs one for another name', async () => {
      const before = readFileSync(certificateFile(), 'utf8');
      const again = await join('gone00.0123456789abcdef');
      assert.equal(readFileSync(certificateFile(), 'utf8'), before);
      again.close();
      await assert.rejects(join('gone00.0123456789abcdef', 'other'), /Unauthorized/);
    });

    it('renews its certificate as itself', async () => {
      const wish = { nodeName: 'worker', signerName: 'kubernetes.io/kube-apiserver-client-kubelet' } as const;
      const { certificate } = await requestCertificate(wish, { client: createClient(node.transport), clock: systemClock }, stopping.signal);
      assert.match(new X509Certificate(certificate).subject, /CN=system:node:worker/);
    });

    it('has its certificate replaced before it ends, and goes on with the new one', async () => {
      const before = readFileSync(certificateFile(), 'utf8');
      const later = await join('gone00.0123456789abcdef', 'worker', 330);
      await waitFor('another certificate', () => readFileSync(certificateFile(), 'utf8') !== before, within);
      // Requests on the old connection are cut off.
      const asks = () => createClient(later.transport)(selfSubjectReviews).create({ metadata: {} });
      const { status } = await waitFor('an answer', () => asks().catch(() => undefined), within);
      assert.equal(status?.userInfo?.username, 'system:node:worker');
      later.close();
    });

    it('is given no certificate for another node', async () => {
      const wish = { nodeName: 'master', signerName: 'kubernetes.io/kube-apiserver-client-kubelet' } as const;
      const answer = requestCertificate(wish, { client: createClient(node.transport), clock: systemClock }, stopping.signal);
      await assert.rejects(answer, /can only create a node CSR with CN=system:node:worker/);
    });

    it('is given one to serve with, for the names and addresses of its Node alone', async () => {
      const client = createClient(node.transport);
      const parts = { client, clock: systemClock };
      await client(nodes).create({ metadata: { name: 'worker' } });
      await client(nodes).patch(
        { namespace: '', name: 'worker' },
        { type: 'merge', body: { status: { addresses: [{ type: 'InternalIP', address: '10.0.0.7' }] } } },
        { subresource: 'status' },
      );
      const wish = {
        nodeName: 'worker',
        signerName: 'kubernetes.io/kubelet-serving',
        dnsNames: ['worker'],
        addresses: ['10.0.0.7'],
      } as const;
      const issued = new X509Certificate((await requestCertificate(wish, parts, stopping.signal)).certificate);
      assert.equal(issued.checkIP('10.0.0.7'), '10.0.0.7');
      assert.equal(issued.checkHost('worker'), 'worker');
      const asking = AbortSignal.timeout(300);
      await assert.rejects(requestCertificate({ ...wish, addresses: ['10.0.0.8'] }, parts, asking));
    });

    it('is given none with the names and addresses of the API server, Services or the machine', async () => {
      const client = createClient(node.transport);
      const names = ['kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost', os.hostname()];
      const ips = ['127.0.0.1', '10.96.0.1', '10.96.0.10', '169.254.169.254', '10.200.0.9'];
      const stated = [
        ...names.map((address) => ({ type: 'Hostname', address })),
        ...['10.0.0.7', ...ips].map((address) => ({ type: 'InternalIP', address })),
      ];
      await client(nodes).patch(
        { namespace: '', name: 'worker' },
        { type: 'merge', body: { status: { addresses: stated } } },
        { subresource: 'status' },
      );
      const wish = { nodeName: 'worker', signerName: 'kubernetes.io/kubelet-serving' } as const;
      const good = () => requestCertificate({ ...wish, dnsNames: ['worker'] }, { client, clock: systemClock }, stopping.signal);
      await good();
      const before = (await admin(certificateSigningRequests).list()).items.length;
      const asking = new AbortController();
      const answers = [...names.map((name) => ({ dnsNames: ['worker', name] })), ...ips.map((ip) => ({ addresses: ['10.0.0.7', ip] }))].map(
        (more) => requestCertificate({ ...wish, ...more }, { client, clock: systemClock }, asking.signal),
      );
      const outcome = Promise.allSettled(answers);
      const count = async () => (await admin(certificateSigningRequests).list()).items.length;
      await waitFor('all requests', async () => (await count()) >= before + answers.length, within);
      await good(); // asked for after all the others
      await good();
      asking.abort(new Error('not approved'));
      assert.deepEqual(
        (await outcome).map(({ status }) => status),
        answers.map(() => 'rejected'),
      );
    });

    it('is told when its name is taken by a node that lives', async () => {
      const at = { server, caPEM: controlPlane.pki.get().clusterCA.certificatePEM, token: 'abcdef.0123456789abcdef' };
      await checkNodeName('free', at);
      await checkNodeName('worker', at);
      const body = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
      await createClient(node.transport)(nodes).patch(
        { namespace: '', name: 'worker' },
        { type: 'merge', body },
        { subresource: 'status' },
      );
      await assert.rejects(
        checkNodeName('worker', at),
        /the cluster has a node "worker" that is ready: choose another name with --node-name/,
      );
      await assert.rejects(checkNodeName('free', { ...at, token: 'signer.0123456789abcdef' }), /does not accept the token/);
    });
  });
});
