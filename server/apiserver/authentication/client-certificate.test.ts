import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { commonNameType, encodeDistinguishedName, organizationType } from '../../../api/semantics/certificates/distinguished-name.ts';
import { derTags, encodeDER } from '../../../api/base/der.ts';
import { type CertificateOptions, encodeExtension, issue, type Issued } from '../../pki/testing/certificate-chain.ts';
import { clientCertificateAuthenticator, createCertificateVerifier } from './client-certificate.ts';

const clock = createManualClock(Date.UTC(2026, 5, 1));
const dayMs = 86_400_000;
const always = { validFromMs: clock.nowMs() - dayMs, validToMs: clock.nowMs() + dayMs };
const [serverAuth, clientAuth, anyUsage] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

describe('client certificates, as Go verifies them', () => {
  const root = issue('root', { ...always, isCA: true });
  const other = issue('root', { ...always, isCA: true });
  const nameOf = (leaf: Issued, intermediates: readonly Issued[] = [], authority: Issued = root) =>
    createCertificateVerifier(
      [authority.certificate.toString()],
      clock,
    )({
      certificate: leaf.der,
      intermediates: intermediates.map(({ der }) => der),
    })?.commonName;
  const leaf = (options: Partial<CertificateOptions>) => issue('jane', { ...always, issuer: root, ...options });
  const between = (options: Partial<CertificateOptions> = {}) => issue('between', { ...always, issuer: root, isCA: true, ...options });

  it('without extended key usages, with that of clients, and with any', () => {
    assert.equal(nameOf(leaf({})), 'jane');
    assert.equal(nameOf(leaf({ usages: [clientAuth] })), 'jane');
    assert.equal(nameOf(leaf({ usages: [serverAuth, anyUsage] })), 'jane');
    assert.equal(nameOf(leaf({ usages: [serverAuth] })), undefined);
    assert.equal(nameOf(leaf({ usages: ['1.2.3.4'] })), undefined);
  });

  it('by way of intermediate certificates', () => {
    const first = between();
    const second = issue('second', { ...always, issuer: first, isCA: true });
    const good = leaf({ issuer: second });
    assert.equal(nameOf(good, [first, second]), 'jane');
    assert.equal(nameOf(good, [second, first, other]), 'jane');
    assert.equal(nameOf(good, [second]), undefined);
    assert.equal(nameOf(good, []), undefined);
    assert.equal(nameOf(good, [first, second], other), undefined);
  });

  it('not by way of those that may not sign', () => {
    for (const options of [
      { isCA: false },
      { usages: [serverAuth] },
      { validToMs: clock.nowMs() - 1 },
      { validFromMs: clock.nowMs() + 1000 },
    ]) {
      const bad = between(options);
      assert.equal(nameOf(leaf({ issuer: bad }), [bad]), undefined, JSON.stringify(options));
    }
    const short = between({ pathLength: 0 });
    assert.equal(nameOf(leaf({ issuer: short }), [short]), 'jane');
    const below = issue('below', { ...always, issuer: short, isCA: true });
    assert.equal(nameOf(leaf({ issuer: below }), [short, below]), undefined);
  });

  it('not of an authority that is over, of another of the same name, or of themselves', () => {
    const old = issue('root', { ...always, isCA: true, validToMs: clock.nowMs() - 1 });
    assert.equal(nameOf(leaf({ issuer: old }), [], old), undefined);
    assert.equal(nameOf(leaf({ issuer: other })), undefined);
    assert.equal(nameOf(issue('root', { ...always })), undefined);
    assert.equal(nameOf(leaf({ validToMs: clock.nowMs() - 1 })), undefined);
  });

  it('not of an authority that they name in other octets', () => {
    const name = (value: string) => encodeDistinguishedName([{ type: commonNameType, value }]);
    assert.equal(nameOf(leaf({ issuerName: name('root') })), 'jane');
    assert.equal(nameOf(leaf({ issuerName: name('ROOT') })), undefined);
    const printable = Buffer.from(name('root'));
    printable[printable.length - 'root'.length - 2] = derTags.printableString;
    assert.equal(nameOf(leaf({ issuerName: printable })), undefined);
  });

  it('not with critical extensions that nobody looks at, or constraints that cannot be read', () => {
    const value = encodeDER(derTags.sequence);
    assert.equal(nameOf(leaf({ extensions: [encodeExtension('1.2.3.4', value)] })), 'jane');
    assert.equal(nameOf(leaf({ extensions: [encodeExtension('1.2.3.4', value, true)] })), undefined);
    const constrained = between({ extensions: [encodeExtension('2.5.29.30', value, true)] });
    assert.equal(nameOf(leaf({ issuer: constrained }), [constrained]), undefined, 'constraints that cannot be read');
  });

  it('are looked for in bounds, whatever is sent along', () => {
    // All of one name, each possibly issued by each.
    const crowd = Array.from({ length: 9 }, () => issue('root', { ...always, isCA: true }));
    const started = performance.now();
    assert.equal(nameOf(leaf({ issuer: other }), crowd), undefined);
    assert.ok(performance.now() - started < 2000);
  });

  it('of several common names stand for the last, and groups are kept apart', () => {
    const subject = encodeDistinguishedName([
      { type: commonNameType, value: 'first' },
      { type: organizationType, value: 'a, b' },
      { type: organizationType, value: 'c\nO=system:masters' },
      { type: commonNameType, value: 'last' },
    ]);
    const verify = createCertificateVerifier([root.certificate.toString()], clock);
    const user = verify({ certificate: leaf({ subject }).der })?.user;
    assert.deepEqual([user?.name, user?.groups], ['last', ['a, b', 'c\nO=system:masters']]);
  });

  it('are good again on a resumed session, which brings no intermediate ones', () => {
    const first = between();
    const verify = createCertificateVerifier([root.certificate.toString()], clock);
    const { der } = leaf({ issuer: first });
    assert.equal(verify({ certificate: der.slice() }), undefined);
    assert.equal(verify({ certificate: der.slice(), intermediates: [first.der] })?.commonName, 'jane');
    assert.equal(verify({ certificate: der.slice() })?.commonName, 'jane');
  });

  it('are refused where they are not good, or have no common name', () => {
    const authenticator = clientCertificateAuthenticator(createCertificateVerifier([root.certificate.toString()], clock));
    const authenticate = (certificate?: Uint8Array) =>
      authenticator.authenticate({
        method: 'GET',
        path: '/',
        query: '',
        headers: {},
        signal: new AbortController().signal,
        peer: { address: '192.0.2.1', ...(certificate ? { certificate } : {}) },
      });
    assert.equal(authenticate(), undefined);
    for (const bad of [leaf({ issuer: other }).der, leaf({ subject: encodeDistinguishedName([]) }).der, Uint8Array.of(1, 2, 3)])
      assert.throws(() => authenticate(bad), { code: 401, message: 'Unauthorized' });
  });
});
