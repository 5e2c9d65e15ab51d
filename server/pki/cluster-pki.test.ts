import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { silentLogger } from '../../api/base/logger.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { clientCertificate, nodeServingCertificate } from './certificate-spec.ts';
import { ensureCertificate, ensureClusterPKI, PKIError, type ClusterPKIOptions } from './ensure-cluster-pki.ts';
import { reasonToRenew } from './inspect-certificate.ts';
import { makeAuthority, makeCertificate } from './make-certificate.ts';
import type { PKIFiles } from './pki-files.ts';
import { memoryPKIFiles } from './testing/memory-pki-files.ts';

const dayMs = 86_400_000;

describe('ensureClusterPKI', () => {
  const files = memoryPKIFiles();
  const clock = createManualClock(Date.UTC(2026, 0, 1));
  const options: ClusterPKIOptions = {
    files,
    clock,
    random: createSeededRandom(1),
    logger: silentLogger,
    clusterDomain: 'cluster.local',
    serviceAddresses: ['10.96.0.1'],
    hostNames: ['node-1'],
    addresses: ['192.0.2.7', '2001:db8::7'],
  };

  it('makes every file that kubeadm makes, keys readable by the owner only', async () => {
    await ensureClusterPKI(options);
    for (const name of ['ca', 'front-proxy-ca', 'apiserver', 'apiserver-kubelet-client', 'front-proxy-client', 'admin', 'sa']) {
      assert.ok(files.content.has(`${name}.key`), name);
      assert.ok(files.secret.has(`${name}.key`), name);
      if (name !== 'sa') assert.ok(!files.secret.has(`${name}.crt`), name);
    }
    assert.match(files.content.get('sa.pub') ?? '', /BEGIN PUBLIC KEY/);
  });

  it('names the server by every name and address', async () => {
    const { server, clusterCA } = await ensureClusterPKI(options);
    const certificate = new X509Certificate(server.certificatePEM);
    for (const name of ['kubernetes', 'kubernetes.default.svc.cluster.local', 'localhost', 'node-1'])
      assert.ok(certificate.checkHost(name), name);
    for (const address of ['127.0.0.1', '::1', '10.96.0.1', '192.0.2.7', '2001:db8::7']) assert.ok(certificate.checkIP(address), address);
    assert.ok(certificate.verify(new X509Certificate(clusterCA.certificatePEM).publicKey));
    assert.equal(certificate.ca, false);
  });

  it('keeps groups apart in the subject', async () => {
    const { admin } = await ensureClusterPKI(options);
    assert.equal(new X509Certificate(admin.certificatePEM).subject, 'O=system:masters\nCN=kubernetes-admin');
  });

  it('makes no administrator of the API server as a client of kubelets, and replaces a certificate that does', async () => {
    const { kubeletClient, clusterCA } = await ensureClusterPKI(options);
    const subject = (pem: string) => new X509Certificate(pem).subject;
    assert.equal(subject(kubeletClient.certificatePEM), 'CN=kube-apiserver-kubelet-client');
    const old = await makeCertificate(clientCertificate('kube-apiserver-kubelet-client', ['system:masters']), clusterCA, options);
    files.content.set('apiserver-kubelet-client.crt', old.certificatePEM).set('apiserver-kubelet-client.key', old.keyPEM);
    assert.equal(subject((await ensureClusterPKI(options)).kubeletClient.certificatePEM), 'CN=kube-apiserver-kubelet-client');
    assert.equal(subject(files.content.get('apiserver-kubelet-client.crt') ?? ''), 'CN=kube-apiserver-kubelet-client');
  });

  it('reuses what is there', async () => {
    const before = new Map(files.content);
    await ensureClusterPKI(options);
    assert.deepEqual(files.content, before);
  });

  it('renews the server certificate when an address is missing, and nothing else', async () => {
    const before = new Map(files.content);
    const { server } = await ensureClusterPKI({ ...options, addresses: [...options.addresses, '192.0.2.8'] });
    assert.ok(new X509Certificate(server.certificatePEM).checkIP('192.0.2.8'));
    const changed = [...files.content].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
    assert.deepEqual(changed.sort(), ['apiserver.crt', 'apiserver.key']);
  });

  it('renews leaf certificates before they expire, under the same authority', async () => {
    const authority = files.content.get('ca.crt');
    const admin = files.content.get('admin.crt');
    await clock.advance(340 * dayMs);
    const pki = await ensureClusterPKI(options);
    assert.equal(files.content.get('ca.crt'), authority);
    assert.notEqual(files.content.get('admin.crt'), admin);
    assert.ok(new X509Certificate(pki.admin.certificatePEM).validToDate.getTime() > clock.nowMs() + 300 * dayMs);
  });

  it('sees a certificate of another authority, a wrong key and garbage', async () => {
    const mine = await ensureClusterPKI(options);
    const other = await ensureClusterPKI({ ...options, files: memoryPKIFiles() });
    const spec = nodeServingCertificate('n', [], ['192.0.2.1']);
    const pair = await ensureCertificate('kubelet', spec, mine.clusterCA, options);
    const judge = (candidate: typeof pair, authority = mine.clusterCA) =>
      reasonToRenew(candidate, spec, authority.certificatePEM, clock.nowMs());
    assert.equal(judge(pair), undefined);
    assert.equal(judge(pair, other.clusterCA), 'it was signed by another authority');
    assert.equal(judge({ ...pair, keyPEM: other.admin.keyPEM }), 'the key is not that of the certificate');
    assert.match(judge({ ...pair, certificatePEM: 'junk' }) ?? '', /cannot be read/);
  });

  describe('authorities and signing keys that are there and cannot be used', () => {
    const start = async (change: (content: Map<string, string>) => void, nowMs = clock.nowMs()) => {
      const own = memoryPKIFiles();
      await ensureClusterPKI({ ...options, files: own });
      change(own.content);
      const before = new Map(own.content);
      const outcome = await ensureClusterPKI({ ...options, files: own, clock: createManualClock(nowMs) }).then(
        () => undefined,
        (error: unknown) => (error instanceof PKIError ? error.message : String(error)),
      );
      const changed = [...own.content].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
      return { outcome: outcome ?? '', changed: changed.filter((path) => /^(ca|front-proxy-ca|sa)\./.test(path)) };
    };
    for (const [title, change, aheadDays, expected] of [
      [
        'by a clock that is ahead by years',
        () => {},
        4015,
        /^\/pki\/(front-proxy-)?ca\.crt: it was valid until .* Nothing was changed\. If the clock .* set it/,
      ],
      ['by a clock that is behind by years', () => {}, -4015, /^\/pki\/(front-proxy-)?ca\.crt: it is valid from .* Nothing was changed\./],
      [
        'damaged',
        (content: Map<string, string>) => content.set('ca.crt', 'junk'),
        0,
        /^\/pki\/ca\.crt: it cannot be read: .* Restore it from a backup/,
      ],
      ['empty', (content: Map<string, string>) => content.set('ca.crt', ''), 0, /^\/pki\/ca\.crt: it cannot be read/],
      ['with a damaged key', (content: Map<string, string>) => content.set('ca.key', 'junk'), 0, /^\/pki\/ca\.crt: it cannot be read/],
      ['without its key', (content: Map<string, string>) => content.delete('ca.key'), 0, /^\/pki\/ca\.key: it is missing/],
      [
        'without its certificate',
        (content: Map<string, string>) => content.delete('front-proxy-ca.crt'),
        0,
        /^\/pki\/front-proxy-ca\.crt: it is missing/,
      ],
      [
        'with the key of another',
        (content: Map<string, string>) => content.set('ca.key', content.get('front-proxy-ca.key') ?? ''),
        0,
        /the key is not that of the certificate/,
      ],
      [
        'a signing key that is damaged',
        (content: Map<string, string>) => content.set('sa.key', 'junk'),
        0,
        /^\/pki\/sa\.key: it cannot be read/,
      ],
      ['a signing key that is missing', (content: Map<string, string>) => content.delete('sa.key'), 0, /^\/pki\/sa\.key: it is missing/],
    ] as const)
      it(`stop the start and are left alone: ${title}`, async () => {
        const { outcome, changed } = await start(change, clock.nowMs() + aheadDays * dayMs);
        assert.match(outcome, expected);
        assert.deepEqual(changed, []);
      });

    it('are made anew in part where nothing is lost: the public half of the signing key', async () => {
      const { outcome, changed } = await start((content) => content.delete('sa.pub'));
      assert.deepEqual([outcome, changed], ['', ['sa.pub']]);
    });

    it('are made anew where the first start was cut short between key and certificate', async () => {
      const own = memoryPKIFiles();
      await own.commit([{ path: 'ca.key', text: (await makeAuthority('kubernetes', options)).keyPEM, secret: true }]);
      await ensureClusterPKI({ ...options, files: own });
      assert.ok(own.content.has('ca.crt'));
    });

    it('are not made for a cluster that had others', async () => {
      const start = (files: PKIFiles) => ensureClusterPKI({ ...options, files, holdsCluster: async () => true });
      await assert.rejects(start(memoryPKIFiles()), /: it is missing, and the store beside it holds a cluster\. Nothing was changed\./);
      const complete = memoryPKIFiles();
      await ensureClusterPKI({ ...options, files: complete });
      await start(complete);
      for (const name of ['sa.key', 'sa.pub']) complete.content.delete(name);
      await assert.rejects(start(complete), /\/pki\/sa\.key: it is missing, and the store/);
      assert.ok(!complete.content.has('sa.key'));
    });

    it('are not made at a time that cannot be', () =>
      assert.rejects(
        ensureClusterPKI({ ...options, files: memoryPKIFiles(), clock: createManualClock(0) }),
        /the clock of this machine says 1970/,
      ));
  });
});
