import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createManualClock } from '../../api/base/testing/manual-clock.ts';
import { fixedValue } from '../../api/base/watched-value.ts';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { CertificateRequestError, parseCertificateRequest } from '../../api/semantics/certificates/certificate-request.ts';
import { readCertificateSubject } from '../../api/serialization/certificate-subject.ts';
import { derTags, equalBytes } from '../../api/base/der.ts';
import { createCertificateVerifier } from '../apiserver/authentication/client-certificate.ts';
import { fuzzRuns, fuzzTurns } from '../../api/schema/testing/fuzz-runs.ts';
import { createCertificateAuthority } from './certificate-request.ts';
import type { KeyPairPEM } from './certificate-spec.ts';
import { makeAuthority } from './make-certificate.ts';
import { encodeRequest, encodeSubject, type RawAttribute, type RawRequest } from './testing/certificate-request.ts';

const rounds = fuzzRuns(2000, 10_000);
const clock = createManualClock(Date.UTC(2026, 5, 1));
const random = createSeededRandom(7);
const terms = { usages: ['client auth'], notBeforeMs: clock.nowMs(), notAfterMs: clock.nowMs() + 3_600_000 };
const [commonName, organization, unit] = ['2.5.4.3', '2.5.4.10', '2.5.4.11'];
const attribute = (type: string, text: string, tag: number = derTags.utf8String): RawAttribute => ({ type, tag, value: Buffer.from(text) });

describe('certificates for requests', () => {
  let authority: KeyPairPEM;
  before(async () => {
    authority = await makeAuthority('kubernetes', { clock, random });
  });

  const issue = async (request: RawRequest) => {
    const parsed = parseCertificateRequest(encodeRequest(request));
    const issued = new X509Certificate(await createCertificateAuthority(fixedValue(authority), { random }).sign(parsed, terms));
    const verified = createCertificateVerifier([authority.certificatePEM], clock)({ certificate: issued.raw });
    return { parsed, issued, verified };
  };

  for (const name of [
    'system:node:x"system:kube-controller-manager"',
    'system:node:x\\:y',
    '#0c0e73797374656d3a6d617374657273',
    'a,CN=b+O=c',
    'a\nO=system:masters',
    ' jane ',
    'jäné',
  ]) {
    it(`say ${JSON.stringify(name)} where the request does`, async () => {
      const { parsed, issued, verified } = await issue({
        subject: [[attribute(organization, `x"${name}"`)], [attribute(organization, name)], [attribute(commonName, name)]],
      });
      assert.deepEqual([parsed.commonName, parsed.organizations], [name, [`x"${name}"`, name]]);
      assert.deepEqual([verified?.commonName, verified?.organizations], [name, [`x"${name}"`, name]]);
      assert.ok(equalBytes(readCertificateSubject(issued.raw), parsed.subject));
    });
  }

  it('are refused to subjects with two common names', async () => {
    const two = [attribute(commonName, 'system:node:a'), attribute(commonName, 'kubernetes-admin')];
    for (const subject of [two.map((one) => [one]), [two]])
      await assert.rejects(issue({ subject }), /^CertificateRequestError: subject must not have more than one common name$/);
  });

  it('are refused where a string is not of its type', async () => {
    for (const [tag, value] of [
      [derTags.utf8String, [0x61, 0xff]],
      [derTags.printableString, [0x61, 0x40]],
      [derTags.ia5String, [0x80]],
      [derTags.numericString, [0x61]],
      [derTags.bmpString, [0x00]],
      [derTags.bmpString, [0xd8, 0x00]],
      [derTags.universalString, [0, 0, 0, 0x61]],
      [derTags.octetString, [0x61]],
    ] as const)
      await assert.rejects(issue({ subject: [[{ type: commonName, tag, value: Uint8Array.from(value) }]] }), CertificateRequestError);
  });

  it('keep alternative names octet by octet, of the kinds that are passed on', async () => {
    const { parsed, issued } = await issue({
      subject: [[attribute(commonName, 'a')]],
      names: [
        { tag: 0x82, value: Buffer.from('A.example') },
        { tag: 0x87, value: Uint8Array.of(192, 0, 2, 1) },
        { tag: 0x88, value: Uint8Array.of(42, 3) },
        { tag: 0x87, value: Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) },
        { tag: 0x86, value: Buffer.from('spiffe://a/b') },
      ],
    });
    assert.deepEqual([parsed.dnsNames, parsed.addresses, parsed.uris], [['A.example'], ['192.0.2.1', '2001:db8::1'], ['spiffe://a/b']]);
    assert.equal(issued.subjectAltName, 'DNS:A.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, URI:spiffe://a/b');
  });

  it('are refused to names that are not what they claim', async () => {
    for (const name of [
      { tag: 0x82, value: Buffer.from('a.ex\u00e4mple') },
      { tag: 0x87, value: Uint8Array.of(1, 2, 3) },
    ])
      await assert.rejects(issue({ subject: [[attribute(commonName, 'a')]], names: [name] }), CertificateRequestError);
  });

  for (const [algorithm, keys] of [
    ['rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['pss', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ed25519', () => generateKeyPairSync('ed25519')],
  ] as const)
    it(`are for keys of ${algorithm} too`, async () => {
      const { verified } = await issue({ subject: [[attribute(commonName, 'jane')]], algorithm, keys: keys() });
      assert.equal(verified?.commonName, 'jane');
    });

  it('are refused to requests of another key', async () => {
    const [mine, other] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-256' })];
    const keys = { privateKey: mine.privateKey, publicKey: other.publicKey };
    await assert.rejects(issue({ subject: [[attribute(commonName, 'jane')]], keys }), /unable to verify certificate request signature/);
  });

  it('are refused to what is no request', () => {
    const good = encodeRequest({ subject: [[attribute(commonName, 'jane')]] });
    const der = Buffer.from(good.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const pem = (bytes: Uint8Array, type = 'CERTIFICATE REQUEST') =>
      `-----BEGIN ${type}-----\n${Buffer.from(bytes).toString('base64')}\n-----END ${type}-----\n`;
    assert.equal(parseCertificateRequest(pem(der)).commonName, 'jane');
    assert.throws(() => parseCertificateRequest(''), /PEM block type must be CERTIFICATE REQUEST/);
    assert.throws(() => parseCertificateRequest(`${pem(der, 'CERTIFICATE')}${good}`), /PEM block type must be CERTIFICATE REQUEST/);
    assert.throws(() => parseCertificateRequest(pem(Buffer.concat([der, Buffer.of(0)]))), /trailing data/);
    for (let length = 0; length < der.length; length++)
      assert.throws(() => parseCertificateRequest(pem(der.subarray(0, length))), CertificateRequestError);
  });

  it('speak for whom was approved, over many subjects of all encodings', async function () {
    this.timeout(1_200_000);
    const signer = createCertificateAuthority(fixedValue(authority), { random });
    const verify = createCertificateVerifier([authority.certificatePEM], clock);
    const counts = { issued: 0, refused: 0 };
    for (const _ of fuzzTurns('certificate requests', rounds)) {
      const subject = randomSubject();
      const pem = encodeRequest({ subject });
      try {
        const approved = parseCertificateRequest(pem);
        const issued = new X509Certificate(await signer.sign(approved, terms));
        const user = verify({ certificate: issued.raw });
        assert.ok(equalBytes(readCertificateSubject(issued.raw), encodeSubject(subject)));
        assert.deepEqual([user?.commonName, user?.organizations], [approved.commonName, approved.organizations], pem);
        counts.issued++;
      } catch (error) {
        if (!(error instanceof CertificateRequestError)) throw error;
        counts.refused++;
      }
    }
    const all = counts.issued + counts.refused;
    assert.ok(counts.issued > all / 3 && counts.refused > all / 20, JSON.stringify(counts));
  });
});

const pieces = [
  '"',
  '\\',
  '#0c',
  ',',
  '+',
  '=',
  ';',
  '<',
  '\n',
  '\0',
  ' ',
  'system:masters',
  'system:node:a',
  'O=',
  'CN=',
  'é',
  '漢',
  '1',
  'a',
];
const stringTags = [
  derTags.utf8String,
  derTags.utf8String,
  derTags.utf8String,
  derTags.printableString,
  derTags.ia5String,
  derTags.numericString,
  derTags.t61String,
  derTags.bmpString,
  derTags.universalString,
];

function pick<T>(items: readonly T[], otherwise: T): T {
  return items[(random.bytes(1)[0] ?? 0) % items.length] ?? otherwise;
}

function randomSubject(): RawAttribute[][] {
  const makeAttribute = (): RawAttribute => {
    const type = pick([organization, organization, unit, commonName, '1.2.3.4'], organization);
    const tag = pick(stringTags, derTags.utf8String);
    const size = (random.bytes(1)[0] ?? 0) % 5;
    const text = Array.from({ length: size }, () => pick(pieces, 'a')).join('');
    return { type, tag, value: encodeText(tag, text) };
  };
  const count = 1 + ((random.bytes(1)[0] ?? 0) % 4);
  return Array.from({ length: count }, () => Array.from({ length: (random.bytes(1)[0] ?? 0) % 8 === 0 ? 2 : 1 }, makeAttribute));
}

/** Mostly right for its type: what is not is for the parser to refuse. */
function encodeText(tag: number, text: string): Uint8Array {
  switch (tag) {
    case derTags.bmpString:
      return Buffer.from(text, 'utf16le').swap16();
    case derTags.printableString:
      return Buffer.from(text.replace(/[^A-Za-z0-9 '()+,\-./:=?*&]/g, ''));
    case derTags.numericString:
      return Buffer.from(text.replace(/[^0-9 ]/g, ''));
    case derTags.ia5String:
    case derTags.t61String:
      return Buffer.from(text, 'latin1');
    default:
      return Buffer.from(text);
  }
}
