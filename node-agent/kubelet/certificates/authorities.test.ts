import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { clientCertificate, type KeyPairPEM } from '../../../server/pki/certificate-spec.ts';
import { crossSign, makeAuthority, makeCertificate } from '../../../server/pki/make-certificate.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { describeCertificates, fingerprintOf, isOfOlderAuthority, refuseAuthorities } from './authorities.ts';

const making = { clock: systemClock, random: systemRandom };

describe('authorities that a cluster states', () => {
  let [old, next, stranger]: KeyPairPEM[] = [];
  let voucher = '';
  before(async () => {
    [old, next, stranger] = await Promise.all(['kubernetes', 'kubernetes@1', 'kubernetes@1'].map((name) => makeAuthority(name, making)));
    assert.ok(old && next);
    voucher = await crossSign(next.certificatePEM, old, making);
  });
  const pem = (...pairs: (KeyPairPEM | undefined)[]) => pairs.map((pair) => pair?.certificatePEM ?? '').join('');

  it('are taken over where a trusted one vouches for each that is new, and where some go', () => {
    assert.equal(refuseAuthorities(pem(old), { trusted: pem(old, next), vouchers: voucher }), undefined);
    assert.equal(refuseAuthorities(pem(old, next), { trusted: pem(next), vouchers: '' }), undefined);
  });

  it('are refused where nobody vouches, or vouches for another, or is not trusted', async () => {
    assert.ok(stranger && next && old);
    const byStranger = await crossSign(next.certificatePEM, stranger, making);
    // A leaf certificate of the cluster, which everybody may have, is no authority.
    const leaf = await makeCertificate(clientCertificate('kubernetes@1'), old, making);
    for (const [trusted, vouchers] of [
      [pem(old, next), ''],
      [pem(old, stranger), voucher],
      [pem(old, next), byStranger],
      [pem(old, leaf), leaf.certificatePEM],
      [pem(old, next), leaf.certificatePEM],
      [pem(stranger), stranger.certificatePEM],
      [`${pem(old)}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`, voucher],
    ] as const)
      assert.notEqual(refuseAuthorities(pem(old), { trusted, vouchers }), undefined);
  });

  it('say by which of them the certificates of a node are', async () => {
    assert.ok(old && next);
    const client = await makeCertificate(clientCertificate('system:node:a', ['system:nodes']), old, making);
    const bundle = pem(next, old);
    const [ofOld, ofNext] = [old, next].map(({ certificatePEM }) => fingerprintOf(new X509Certificate(certificatePEM)));
    assert.deepEqual(describeCertificates(bundle, client.certificatePEM, undefined), {
      trusted: [ofNext, ofOld],
      client: ofOld,
      serving: '',
    });
    assert.deepEqual(
      [isOfOlderAuthority(client.certificatePEM, bundle), isOfOlderAuthority(client.certificatePEM, pem(old, next))],
      [true, false],
    );
  });
});
