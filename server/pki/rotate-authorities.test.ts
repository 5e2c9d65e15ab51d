import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { silentLogger } from '../../api/base/logger.ts';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { createCertificateVerifier } from '../apiserver/authentication/client-certificate.ts';
import { nodeClientCertificate, nodeServingCertificate } from './certificate-spec.ts';
import { ensureCertificate, ensureClusterPKI } from './ensure-cluster-pki.ts';
import { firstCertificate, splitCertificates } from './pem-bundle.ts';
import type { PKIChange, PKIContents } from './pki-files.ts';
import { authorityOf, dueLeaves, leafNames, planRenewal } from './renew-certificates.ts';
import { findRotation, planFinish, planIssue, planRollback, planStart } from './rotate-authorities.ts';
import { memoryPKIFiles, type MemoryPKIFiles } from './testing/memory-pki-files.ts';

const dayMs = 86_400_000;
const clock = createManualClock(Date.UTC(2026, 5, 1));
const random = createSeededRandom(11);
const making = { clock, random };
const both = { authorities: ['ca', 'front-proxy-ca'] as const };

async function makeCluster(): Promise<MemoryPKIFiles> {
  const files = memoryPKIFiles();
  const options = { files, clock, random, logger: silentLogger, clusterDomain: 'cluster.local' };
  const names = { serviceAddresses: ['10.96.0.1'], hostNames: ['one'], addresses: ['192.0.2.7'] };
  const { clusterCA } = await ensureClusterPKI({ ...options, ...names });
  await ensureCertificate('node-one', nodeClientCertificate('one'), clusterCA, options);
  await ensureCertificate('kubelet-one', nodeServingCertificate('one', [], ['192.0.2.7']), clusterCA, options);
  return files;
}

/** Whether a holder of the authorities of one moment verifies the leaf certificates of another. */
function believes(trusted: PKIContents, shown: PKIContents, leaf: string): boolean {
  const authorities = splitCertificates(trusted.get(`${authorityOf(leaf)}.crt`) ?? '').map((pem) => new X509Certificate(pem));
  const chain = splitCertificates(shown.get(`${leaf}.crt`) ?? '').map((pem) => new X509Certificate(pem));
  const reaches = (certificate: X509Certificate): boolean =>
    authorities.some((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey)) ||
    chain.slice(1).some((one) => certificate !== one && certificate.checkIssued(one) && certificate.verify(one.publicKey) && reaches(one));
  return chain[0] !== undefined && reaches(chain[0]);
}

describe('a rotation of authorities', () => {
  let files: MemoryPKIFiles;
  const moments: PKIContents[] = [];
  const step = async (changes: PKIChange[] | Promise<PKIChange[]>) => {
    await files.commit(await changes);
    const now = await files.readAll();
    moments.push(now);
    return now;
  };
  const phase = () => findRotation(new Map(files.content))?.phase;
  beforeEach(async () => {
    files = await makeCluster();
    moments.length = 0;
    moments.push(await files.readAll());
  });

  it('trusts both, issues by the new one, and drops the old one at the end', async () => {
    const [before] = moments;
    assert.ok(before);
    const trusting = await step(planStart(before, both, making));
    assert.equal(phase(), 'trusting');
    assert.equal(trusting.get('ca.key'), before.get('ca.key'));
    assert.equal(splitCertificates(trusting.get('ca.crt') ?? '').length, 2);
    assert.deepEqual(leafNames(trusting), leafNames(before));
    const issuing = await step(planIssue(trusting, making));
    assert.equal(phase(), 'issuing');
    for (const leaf of leafNames(issuing)) {
      assert.notEqual(issuing.get(`${leaf}.key`), before.get(`${leaf}.key`), leaf);
      const certificate = new X509Certificate(issuing.get(`${leaf}.crt`) ?? '');
      assert.ok(certificate.checkPrivateKey(createPrivateKey(issuing.get(`${leaf}.key`) ?? '')));
      const old = new X509Certificate(before.get(`${leaf}.crt`) ?? '');
      assert.deepEqual([certificate.subject, certificate.subjectAltName], [old.subject, old.subjectAltName]);
    }
    const finished = await step(planFinish(issuing));
    assert.equal(phase(), undefined);
    assert.equal(splitCertificates(finished.get('ca.crt') ?? '').length, 1);
    assert.deepEqual([...finished.keys()].sort(), [...before.keys()].sort());
    assert.ok(new X509Certificate(finished.get('ca.crt') ?? '').checkPrivateKey(createPrivateKey(finished.get('ca.key') ?? '')));
  });

  it('leaves at each moment what clients of the moment before believe, until the end', async () => {
    const [before] = moments;
    assert.ok(before);
    const trusting = await step(planStart(before, both, making));
    const issuing = await step(planIssue(trusting, making));
    const finished = await step(planFinish(issuing));
    for (const leaf of leafNames(before)) {
      for (const [trusted, shown] of [
        [before, trusting],
        [before, issuing],
        [trusting, before],
        [trusting, issuing],
        [issuing, before],
        [issuing, finished],
        [finished, issuing],
      ] as const)
        assert.ok(believes(trusted, shown, leaf), leaf);
      assert.ok(!believes(before, finished, leaf), leaf);
      assert.ok(!believes(finished, before, leaf), leaf);
    }
  });

  it('has client certificates verified by the API server as long as their authority is trusted', async () => {
    const [before] = moments;
    assert.ok(before);
    const trusting = await step(planStart(before, both, making));
    const issuing = await step(planIssue(trusting, making));
    const finished = await step(planFinish(issuing));
    const verdict = (trusted: PKIContents, shown: PKIContents) =>
      createCertificateVerifier(
        [trusted.get('ca.crt') ?? ''],
        clock,
      )({
        certificate: new X509Certificate(firstCertificate(shown.get('admin.crt') ?? '')).raw,
      })?.commonName;
    assert.deepEqual(
      [verdict(issuing, before), verdict(issuing, issuing), verdict(finished, issuing), verdict(finished, before)],
      ['kubernetes-admin', 'kubernetes-admin', 'kubernetes-admin', undefined],
    );
  });

  it('can be taken back before anything was issued, and nothing is left of it', async () => {
    const [before] = moments;
    assert.ok(before);
    await step(planRollback(await step(planStart(before, both, making)), making));
    assert.deepEqual(await files.readAll(), before);
  });

  it('can be taken back afterwards: the old one signs again, and the new one is the one to be dropped', async () => {
    const [before] = moments;
    assert.ok(before);
    const issuing = await step(planIssue(await step(planStart(before, both, making)), making));
    const back = await step(planRollback(issuing, making));
    assert.equal(back.get('ca.key'), before.get('ca.key'));
    for (const leaf of leafNames(back)) assert.ok(believes(before, back, leaf) && believes(issuing, back, leaf), leaf);
    const finished = await step(planFinish(back));
    assert.equal(finished.get('ca.crt'), before.get('ca.crt'));
    assert.deepEqual([...finished.keys()].sort(), [...before.keys()].sort());
  });

  it('takes no step out of its order', async () => {
    const [before] = moments;
    assert.ok(before);
    await assert.rejects(planIssue(before, making), /no rotation is under way/);
    assert.throws(() => planFinish(before), /no rotation is under way/);
    const trusting = await step(planStart(before, both, making));
    await assert.rejects(planStart(trusting, both, making), /is under way/);
    assert.throws(() => planFinish(trusting), /in its phase trusting/);
  });

  it('does not begin by a clock that the present authority has not lived to see', async () => {
    const [before] = moments;
    assert.ok(before);
    for (const days of [-400, 4000]) {
      const wrong = { random, clock: createManualClock(clock.nowMs() + days * dayMs) };
      await assert.rejects(planStart(before, both, wrong), /the clock of this machine says/);
      await assert.rejects(planRenewal(before, ['admin'], wrong), /nothing is signed with it/);
    }
  });

  it('can be done a second time', async () => {
    for (let round = 0; round < 2; round++) {
      await clock.advance(1000);
      const issuing = await step(planIssue(await step(planStart(await files.readAll(), both, making)), making));
      await step(planFinish(issuing));
    }
    assert.match(new X509Certificate(files.content.get('ca.crt') ?? '').subject, /^CN=kubernetes@\d+$/);
  });
});

describe('the renewal of certificates', () => {
  it('says the same with another key, and leaves the others alone', async () => {
    const files = await makeCluster();
    const before = await files.readAll();
    await files.commit(await planRenewal(before, ['apiserver', 'kubelet-one'], making));
    const after = await files.readAll();
    const changed = [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
    assert.deepEqual(changed.sort(), ['apiserver.crt', 'apiserver.key', 'kubelet-one.crt', 'kubelet-one.key']);
    for (const leaf of ['apiserver', 'kubelet-one']) {
      const [old, now] = [before, after].map((contents) => new X509Certificate(contents.get(`${leaf}.crt`) ?? ''));
      assert.deepEqual([now?.subject, now?.subjectAltName, now?.keyUsage], [old?.subject, old?.subjectAltName, old?.keyUsage]);
    }
    await assert.rejects(planRenewal(before, ['nobody'], making), /there is no certificate nobody; there are admin, apiserver/);
  });

  it('is due with a tenth of its life left, and when the clock was ahead as it was made', async () => {
    const files = await makeCluster();
    const contents = await files.readAll();
    const at = (days: number) => dueLeaves(contents, clock.nowMs() + days * dayMs).length;
    assert.deepEqual([at(0), at(300)], [0, 0]);
    assert.deepEqual([at(340), at(-30)], [leafNames(contents).length, leafNames(contents).length]);
  });
});
