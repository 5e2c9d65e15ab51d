import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { ensureClusterPKI } from '../../pki/ensure-cluster-pki.ts';
import { serverCertificate } from '../../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../../pki/make-certificate.ts';
import { planRenewal } from '../../pki/renew-certificates.ts';
import { memoryPKIFiles } from '../../pki/testing/memory-pki-files.ts';
import { openDataDir, writeInstance } from '../data-dir/data-dir.ts';
import { formatKubeconfig, parseKubeconfig } from '../data-dir/kubeconfig.ts';
import { bringUpToDate } from './certs-kubeconfigs.ts';
import { gatherCertificates } from './gather-certificates.ts';
import { describeRotation, formatCertificates } from './format-certificates.ts';

const clock = createManualClock(Date.UTC(2026, 5, 1));
const making = { clock, random: createSeededRandom(9) };

describe('kubeconfigs of a data dir', () => {
  it('follow renewed certificates, unless somebody else has written or changed them', async () => {
    const files = memoryPKIFiles();
    const names = { clusterDomain: 'cluster.local', serviceAddresses: [], hostNames: [], addresses: [] };
    const { admin, clusterCA } = await ensureClusterPKI({ files, logger: silentLogger, ...making, ...names });
    const old = { server: 'https://127.0.0.1:6443', ca: clusterCA.certificatePEM, certificate: admin.certificatePEM, key: admin.keyPEM };
    const text = formatKubeconfig(old);
    assert.equal(bringUpToDate(text, await files.readAll()), text);
    await files.commit(await planRenewal(await files.readAll(), ['admin'], making));
    const changed = parseKubeconfig(bringUpToDate(text, await files.readAll()) ?? '');
    assert.deepEqual(changed, { ...old, certificate: files.content.get('admin.crt'), key: files.content.get('admin.key') });
    for (const foreign of [`${text}# mine\n`, text.replaceAll('kubets', 'work'), 'clusters: []', 'junk: [', ''])
      assert.equal(bringUpToDate(foreign, await files.readAll()), undefined, foreign);
  });
});

describe('what `kubets certs check` looks at', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-certs-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('has the certificates of --tls-cert-file and --tls-sni-cert-key of a control plane that runs', async () => {
    const authority = await makeAuthority('elsewhere', making);
    const write = async (name: string, hostName: string) => {
      const names = { clusterDomain: 'cluster.local', serviceAddresses: [], hostNames: [hostName], addresses: [] };
      const pair = await makeCertificate(serverCertificate(names), authority, making);
      const files = { certificate: path.join(directory, `${name}.crt`), key: path.join(directory, `${name}.key`) };
      writeFileSync(files.certificate, pair.certificatePEM);
      writeFileSync(files.key, pair.keyPEM);
      return files;
    };
    const [main, named, other] = [await write('main', 'a.test'), await write('named', '*.b.test'), await write('other', 'c.test')];
    writeInstance(directory, {
      ...{ pid: process.pid, server: 'https://127.0.0.1:1', kubeconfig: 'k' },
      serving: [
        { flag: 'tls-cert-file', ...main, names: [] },
        { flag: 'tls-sni-cert-key', ...named, names: ['*.b.test', 'x.b.test'] },
        { flag: 'tls-sni-cert-key', ...other, key: main.key, names: ['d.test'] },
        { flag: 'tls-sni-cert-key', certificate: '/nowhere/a.crt', key: '/nowhere/a.key', names: [] },
      ],
    });
    const report = await gatherCertificates(openDataDir(directory), { nowMs: clock.nowMs(), thresholdDays: 30 });
    assert.deepEqual(
      report.certificates.map(({ name, file, problems }) => [name, file, problems.map(({ problem }) => problem)]),
      [
        ['tls-cert-file', main.certificate, []],
        ['tls-sni-cert-key (*.b.test,x.b.test)', named.certificate, []],
        ['tls-sni-cert-key (d.test)', other.certificate, ['the key is not that of the certificate', 'it does not name d.test']],
        ['tls-sni-cert-key', '/nowhere/a.crt', ['it is missing']],
      ],
    );
  });
});

describe('what `kubets certs check` prints', () => {
  const certificate = {
    name: 'apiserver',
    file: '/pki/apiserver.crt',
    kind: 'certificate',
    subject: 'CN=kube-apiserver',
    issuer: 'CN=kubernetes',
    authority: 'ca',
    expiresAt: '2027-06-01T10:30:00.000Z',
    daysLeft: 364.9,
    problems: [],
  } as const;
  const report = { dataDirectory: '/d', certificates: [certificate], authorities: [], keys: [] };

  it('has a table as kubeadm has it', () => {
    const [head, row] = formatCertificates(report).split('\n');
    assert.equal(head, 'CERTIFICATE   EXPIRES                  RESIDUAL TIME   AUTHORITY   SUBJECT');
    assert.equal(row, 'apiserver     Jun 01, 2027 10:30 UTC   364d            ca          CN=kube-apiserver');
    assert.match(formatCertificates(report), /^✓ all certificates are valid/m);
  });

  it('names what is wrong and what to do, and how far a rotation is', () => {
    const problems = [{ problem: 'it expired', advice: 'kubets certs renew apiserver' }];
    const rotation = { phase: 'issuing', authorities: ['ca'], startedAt: 's', since: '2026-06-01T00:00:00Z' } as const;
    const text = formatCertificates({ ...report, certificates: [{ ...certificate, daysLeft: -1, problems }], rotation });
    assert.match(text, /<invalid>/);
    assert.match(text, /^✗ apiserver: it expired\n {2}→ kubets certs renew apiserver$/m);
    assert.match(
      text,
      /the new authority signs since 2026-06-01T00:00:00Z, the old one is still trusted; 'kubets certs rotate-ca --finish' drops it/,
    );
    assert.match(describeRotation({ ...rotation, isTakenBack: true }), /the old authority signs .* the new one is still trusted/);
    assert.match(describeRotation({ ...rotation, dropAfter: 'T' }), /it is dropped after T$/);
  });
});
