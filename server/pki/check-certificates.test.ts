import assert from 'node:assert/strict';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { nodeServingCertificate, type KeyPairPEM } from './certificate-spec.ts';
import { type CertificateSource, checkCertificate, checkServiceAccountKeys } from './check-certificates.ts';
import { makeAuthority, makeCertificate, makeSigningKey } from './make-certificate.ts';

const dayMs = 86_400_000;
const clock = createManualClock(Date.UTC(2026, 5, 1));
const making = { clock, random: createSeededRandom(2) };

describe('the check of certificates', () => {
  let [authority, other, pair]: KeyPairPEM[] = [];
  let source: CertificateSource;
  before(async () => {
    [authority, other] = await Promise.all([makeAuthority('kubernetes', making), makeAuthority('kubernetes', making)]);
    assert.ok(authority && other);
    pair = await makeCertificate(nodeServingCertificate('one', [], ['192.0.2.7']), authority, making);
    const trusted = { name: 'ca', trustedPEM: `${other.certificatePEM}${authority.certificatePEM}` };
    source = {
      name: 'kubelet-one',
      file: '/f',
      kind: 'certificate',
      ...pair,
      authority: trusted,
      names: ['one', '192.0.2.7'],
      remedy: 'mend it',
    };
  });
  const problems = (change: Partial<CertificateSource> = {}, inDays = 0) =>
    checkCertificate({ ...source, ...change }, { nowMs: clock.nowMs() + inDays * dayMs, thresholdDays: 30 }).problems.map(
      ({ problem }) => problem,
    );

  it('finds nothing wrong with one that is right, and tells of it', () => {
    const { problems: none, ...facts } = checkCertificate(source, { nowMs: clock.nowMs(), thresholdDays: 30 });
    assert.deepEqual(none, []);
    assert.deepEqual(facts, {
      name: 'kubelet-one',
      file: '/f',
      kind: 'certificate',
      authority: 'ca',
      subject: 'O=system:nodes, CN=system:node:one',
      issuer: 'CN=kubernetes',
      expiresAt: '2027-06-01T00:00:00.000Z',
      daysLeft: 365,
    });
  });

  for (const [title, change, inDays, expected] of [
    ['expires within the threshold', () => ({}), 340, [/^it expires in 25 days$/]],
    ['has expired', () => ({}), 366, [/^it expired 2027-06-01/]],
    ['is not valid yet', () => ({}), -30, [/^it is not valid before .*is the clock/]],
    ['has the key of another', () => ({ keyPEM: other?.keyPEM ?? '' }), 0, [/^the key is not that of the certificate$/]],
    ['lacks its key', () => ({ keyPEM: '' }), 0, [/^its key is missing$/]],
    ['has junk as its key', () => ({ keyPEM: 'junk' }), 0, [/^its key cannot be read/]],
    [
      'is of another authority',
      () => ({ authority: { name: 'ca', trustedPEM: other?.certificatePEM ?? '' } }),
      0,
      [/^it is not signed by the authority there \(ca\)$/],
    ],
    ['lacks names', () => ({ names: ['one', 'two', '192.0.2.8'] }), 0, [/^it does not name two$/, /^it does not name 192\.0\.2\.8$/]],
    ['cannot be read', () => ({ certificatePEM: 'junk' }), 0, [/^it cannot be read/]],
    ['is no authority', () => ({ kind: 'authority' as const }), 0, [/^it is not a CA certificate$/]],
  ] as const)
    it(`tells that one ${title}`, () => {
      const found = problems(change(), inDays);
      assert.equal(found.length, expected.length, found.join());
      for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern);
    });

  it('tells that one is missing', () => {
    const { certificatePEM: _gone, ...rest } = source;
    assert.deepEqual(checkCertificate(rest, { nowMs: 0, thresholdDays: 0 }).problems, [{ problem: 'it is missing', advice: 'mend it' }]);
  });

  it('knows the keys of service accounts, and tells where they do not belong together', async () => {
    const [key, older] = [await makeSigningKey(), await makeSigningKey()];
    const good = checkServiceAccountKeys('/sa.key', {
      privateKeyPEM: key.privateKeyPEM,
      publicKeysPEM: [key.publicKeyPEM, older.publicKeyPEM],
    });
    assert.deepEqual([good.ids.length, good.problems], [2, []]);
    const apart = checkServiceAccountKeys('/sa.key', { privateKeyPEM: key.privateKeyPEM, publicKeysPEM: [older.publicKeyPEM] });
    assert.match(apart.problems[0]?.problem ?? '', /sa\.pub does not hold/);
    const gone = checkServiceAccountKeys('/sa.key', { privateKeyPEM: undefined, publicKeysPEM: [] });
    assert.equal(gone.problems[0]?.problem, 'it is missing');
  });
});
