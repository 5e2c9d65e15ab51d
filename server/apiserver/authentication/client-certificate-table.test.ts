import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { APIRequest } from '../../../api/client/transport.ts';
import { commonNameType, encodeDistinguishedName, organizationType } from '../../../api/semantics/certificates/distinguished-name.ts';
import { derTags, encodeDER } from '../../../api/base/der.ts';
import { type CertificateOptions, encodeExtension, issue, type Issued } from '../../pki/testing/certificate-chain.ts';
import { clientCertificateAuthenticator, createCertificateVerifier } from './client-certificate.ts';

/** The user's name and groups; `nobody`: the request goes on without a user; `refused`: 401. Without a common name: as recorded from one with an authority of a front proxy. */
type Verdict = string | 'nobody' | 'refused';

const nowMs = Date.now();
const always = { validFromMs: nowMs - 86_400_000, validToMs: nowMs + 86_400_000 };
const root = issue('kubernetes', { ...always, isCA: true });
const [serverAuth, clientAuth, anyUsage] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
const uidType = '1.3.6.1.4.1.57683.2';

const leaf = (options: Partial<CertificateOptions> = {}) => issue('jane', { ...always, issuer: root, ...options });
const between = (options: Partial<CertificateOptions> = {}) => issue('between', { ...always, issuer: root, isCA: true, ...options });
const below = (issuer: Issued, options: Partial<CertificateOptions> = {}): readonly Issued[] => [leaf({ issuer, ...options }), issuer];
const subject = (...attributes: readonly (readonly [string, string])[]) => ({
  subject: encodeDistinguishedName(attributes.map(([type, value]) => ({ type, value }))),
});
const keyUsage = (bits: number, unused: number) => encodeExtension('2.5.29.15', encodeDER(0x03, Uint8Array.of(unused, bits)), true);
const first = between();
const second = issue('second', { ...always, issuer: first, isCA: true });
const short = between({ pathLength: 0 });

const mail = (text: string) => encodeDER(0x81, Buffer.from(text));
const dns = (text: string) => encodeDER(0x82, Buffer.from(text));
const uri = (text: string) => encodeDER(0x86, Buffer.from(text));
const ip = (...bytes: readonly number[]) => encodeDER(0x87, Uint8Array.from(bytes));
const directory = encodeDER(0xa4, encodeDistinguishedName([{ type: commonNameType, value: 'x' }]));
interface Constraints {
  readonly permitted?: readonly Uint8Array[];
  readonly excluded?: readonly Uint8Array[];
  readonly isCritical?: boolean;
}
const constrain = ({ permitted = [], excluded = [], isCritical = true }: Constraints) => {
  const subtrees = (tag: number, names: readonly Uint8Array[]) =>
    names.length === 0 ? [] : [encodeDER(tag, ...names.map((name) => encodeDER(derTags.sequence, name)))];
  return encodeExtension('2.5.29.30', encodeDER(derTags.sequence, ...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)), isCritical);
};
const named = (...names: readonly Uint8Array[]) =>
  names.length === 0 ? {} : { extensions: [encodeExtension('2.5.29.17', encodeDER(derTags.sequence, ...names))] };
const constrained = (constraints: Constraints, ...names: readonly Uint8Array[]) =>
  below(between({ extensions: [constrain(constraints)] }), named(...names));
const [example, ten] = [{ permitted: [dns('example.com')] }, ip(10, 0, 0, 0, 255, 0, 0, 0)];

/** Chains and the verdicts of a kube-apiserver v1.32 with the same authority; uids as later versions read them. */
const table: Readonly<Record<string, readonly [Verdict, readonly Issued[]]>> = {
  'no usages': ['jane', [leaf()]],
  'usage of clients': ['jane', [leaf({ usages: [clientAuth] })]],
  'usage of servers': ['refused', [leaf({ usages: [serverAuth] })]],
  'any usage': ['jane', [leaf({ usages: [serverAuth, anyUsage] })]],
  'an unknown usage': ['refused', [leaf({ usages: ['1.2.3.4'] })]],
  expired: ['refused', [leaf({ validToMs: nowMs - 5000 })]],
  'not valid yet': ['refused', [leaf({ validFromMs: nowMs + 3_600_000 })]],
  'another authority of the same name': ['refused', [leaf({ issuer: issue('kubernetes', { ...always, isCA: true }) })]],
  'self-signed': ['refused', [issue('jane', always)]],
  'self-signed by the name of the authority': ['refused', [issue('kubernetes', always)]],
  'the authority itself': ['kubernetes', [root]],
  'an authority below it': ['jane', [leaf({ isCA: true })]],
  'one intermediate': ['jane', below(first)],
  'two intermediates': ['jane', [leaf({ issuer: second }), second, first]],
  'two intermediates in another order': ['jane', [leaf({ issuer: second }), first, second]],
  'one of two intermediates': ['refused', [leaf({ issuer: second }), second]],
  'no intermediate': ['refused', [leaf({ issuer: first })]],
  'an intermediate that is no authority': ['refused', below(between({ isCA: false }))],
  'an intermediate that has expired': ['refused', below(between({ validToMs: nowMs - 5000 }))],
  'an intermediate for servers': ['refused', below(between({ usages: [serverAuth] }))],
  'an intermediate for servers, a leaf for clients': ['refused', below(between({ usages: [serverAuth] }), { usages: [clientAuth] })],
  'an intermediate for clients': ['jane', below(between({ usages: [clientAuth] }))],
  'an intermediate for any usage': ['jane', below(between({ usages: [anyUsage] }))],
  'an intermediate at the end of its path': ['jane', below(short)],
  'an intermediate beyond the path': ['refused', [...below(issue('below', { ...always, issuer: short, isCA: true })), short]],
  'an intermediate that may sign': ['jane', below(between({ extensions: [keyUsage(0x04, 2)] }))],
  'no common name': ['refused', [leaf(subject([organizationType, 'a']))]],
  'an empty subject': ['refused', [leaf(subject())]],
  'two common names': ['b', [leaf(subject([commonNameType, 'a'], [commonNameType, 'b']))]],
  groups: [
    'a g1|g2,g3|',
    [leaf(subject([organizationType, 'g1'], [commonNameType, 'a'], [organizationType, 'g2,g3'], [organizationType, '']))],
  ],
  'a uid': ['a #u-1', [leaf(subject([commonNameType, 'a'], [uidType, 'u-1']))]],
  'two uids': ['refused', [leaf(subject([commonNameType, 'a'], [uidType, 'u-1'], [uidType, 'u-2']))]],
  'an empty uid': ['refused', [leaf(subject([commonNameType, 'a'], [uidType, '']))]],
  'an unknown extension': ['jane', [leaf({ extensions: [encodeExtension('1.2.3.4', encodeDER(derTags.sequence))] })]],
  'a critical unknown extension': ['refused', [leaf({ extensions: [encodeExtension('1.2.3.4', encodeDER(derTags.sequence), true)] })]],
  'a leaf without digital signature': ['jane', [leaf({ extensions: [keyUsage(0x20, 5)] })]],
  'names without constraints': ['jane', below(first, named(dns('a.example')))],
  'constraints without names': ['jane', constrained(example)],
  'a domain inside': ['jane', constrained(example, dns('a.example.com'))],
  'the domain itself': ['jane', constrained(example, dns('example.com'))],
  'a domain outside': ['refused', constrained(example, dns('a.example.org'))],
  'a domain that ends alike': ['refused', constrained(example, dns('badexample.com'))],
  'a domain in another case': ['jane', constrained({ permitted: [dns('EXAMPLE.com')] }, dns('a.example.COM'))],
  'a domain with a wildcard': ['jane', constrained(example, dns('*.example.com'))],
  'a domain below a dot': ['jane', constrained({ permitted: [dns('.example.com')] }, dns('a.example.com'))],
  'a domain at a dot': ['refused', constrained({ permitted: [dns('.example.com')] }, dns('example.com'))],
  'an excluded domain': ['refused', constrained({ excluded: [dns('example.com')] }, dns('a.example.com'))],
  'a domain beside the excluded one': ['jane', constrained({ excluded: [dns('example.com')] }, dns('a.example.org'))],
  'all domains': ['jane', constrained({ permitted: [dns('')] }, dns('a.b'))],
  'two domains, one outside': ['refused', constrained(example, dns('a.example.com'), dns('b.org'))],
  'constraints that are not critical': ['refused', constrained({ ...example, isCritical: false }, dns('b.org'))],
  'a name of another kind': ['jane', constrained(example, ip(10, 1, 2, 3))],
  'an address inside': ['jane', constrained({ permitted: [ten] }, ip(10, 1, 2, 3))],
  'an address outside': ['refused', constrained({ permitted: [ten] }, ip(11, 1, 2, 3))],
  'an excluded address': ['refused', constrained({ excluded: [ten] }, ip(10, 1, 2, 3))],
  'a mailbox of a host': ['jane', constrained({ permitted: [mail('example.com')] }, mail('a@example.com'))],
  'a mailbox below a host': ['jane', constrained({ permitted: [mail('example.com')] }, mail('a@b.example.com'))],
  'a mailbox below a dot': ['jane', constrained({ permitted: [mail('.example.com')] }, mail('a@b.example.com'))],
  'that mailbox': ['jane', constrained({ permitted: [mail('a@example.com')] }, mail('a@example.com'))],
  'another mailbox': ['refused', constrained({ permitted: [mail('a@example.com')] }, mail('b@example.com'))],
  'a URI below a host': ['jane', constrained({ permitted: [uri('example.com')] }, uri('spiffe://a.example.com/x'))],
  'a URI of a host': ['jane', constrained({ permitted: [uri('example.com')] }, uri('spiffe://example.com/x'))],
  'a URI outside': ['refused', constrained({ permitted: [uri('example.com')] }, uri('spiffe://example.org/x'))],
  'a URI of an address': ['refused', constrained({ permitted: [uri('example.com')] }, uri('spiffe://10.0.0.1/x'))],
  'constraints on directory names': ['refused', constrained({ permitted: [directory] })],
  'constraints on directory names that are not critical': ['jane', constrained({ permitted: [directory], isCritical: false }, dns('a.b'))],
  // Upstream ends the connection already.
  'malformed constraints': ['refused', constrained({})],
};

// Later than what is made while the tests run.
const clock = createManualClock(nowMs + 600_000);
const authenticator = clientCertificateAuthenticator(createCertificateVerifier([root.certificate.toString()], clock));

async function verdictOf([certificate, ...intermediates]: readonly Uint8Array[]): Promise<Verdict> {
  const peer = { address: '192.0.2.1', intermediates, ...(certificate ? { certificate } : {}) };
  const request: APIRequest = { method: 'GET', path: '/', query: '', headers: {}, signal: new AbortController().signal, peer };
  try {
    const user = await authenticator.authenticate(request);
    if (!user) return 'nobody';
    return `${user.name}${user.groups.length > 0 ? ` ${user.groups.join('|')}` : ''}${user.uid === undefined ? '' : ` #${user.uid}`}`;
  } catch (error) {
    assert.deepEqual(error instanceof Error ? error.message : error, 'Unauthorized');
    return 'refused';
  }
}

describe('client certificates, as a kube-apiserver takes them', function () {
  this.timeout(60_000);
  for (const [what, [expected, chain]] of Object.entries(table))
    it(`${what}: ${expected}`, async () => assert.equal(await verdictOf(chain.map(({ der }) => der)), expected));

  describe('by keys and signatures of other kinds', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'certificates-'));
      writeFileSync(path.join(folder, 'ca.crt'), root.certificate.toString());
      writeFileSync(
        path.join(folder, 'ca.key'),
        createPrivateKey(root.key.export({ type: 'pkcs8', format: 'pem' })).export({ type: 'pkcs8', format: 'pem' }),
      );
    });
    after(() => rmSync(folder, { recursive: true }));
    const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    const made: Readonly<Record<string, readonly [Verdict, keyArguments: readonly string[], digest: string]>> = {
      'RSA of 2048 bits': ['jane', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], '-sha256'],
      'RSA of 1024 bits': ['jane', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'], '-sha256'],
      Ed25519: ['jane', ['-algorithm', 'ED25519'], '-sha256'],
      'P-384': ['jane', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'], '-sha256'],
      'P-521, SHA-512': ['jane', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'], '-sha512'],
      'SHA-1': ['refused', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], '-sha1'],
    };
    for (const [what, [expected, keyArguments, digest]] of Object.entries(made)) {
      it(`${what}: ${expected}`, async () => {
        openssl('genpkey', ...keyArguments, '-out', 'leaf.key');
        openssl('req', '-new', '-key', 'leaf.key', '-subj', '/CN=jane', '-out', 'leaf.csr');
        openssl(
          'x509',
          '-req',
          '-in',
          'leaf.csr',
          '-CA',
          'ca.crt',
          '-CAkey',
          'ca.key',
          '-set_serial',
          '77',
          '-days',
          '1',
          digest,
          '-out',
          'leaf.crt',
        );
        assert.equal(await verdictOf([new X509Certificate(readFileSync(path.join(folder, 'leaf.crt'))).raw]), expected);
      });
    }
  });
});
