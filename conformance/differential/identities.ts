import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { commonNameType, encodeDistinguishedName, organizationType } from '../../api/semantics/certificates/distinguished-name.ts';
import { derTags, encodeDER } from '../../api/base/der.ts';
import { type CertificateOptions, encodeExtension, issue, type Issued } from '../../server/pki/testing/certificate-chain.ts';

/** A client identity, authenticated by certificate, by headers, or not at all. */
export interface Identity {
  readonly name: string;
  /** PEM; `cert` may be a chain. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** May hold facts, as requests do. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const dayMs = 86_400_000;
const [serverAuth, clientAuth, anyUsage] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

/** Users by certificate, and their groups. */
const certificateUsers: Readonly<Record<string, readonly string[]>> = {
  admin: ['system:masters'],
  alice: [],
  bob: ['viewers'],
  carol: ['role-editors'],
  dave: ['role-binders'],
  erin: ['impersonators'],
  frank: ['approvers'],
  eve: [],
  'system:node:node-1': ['system:nodes'],
  'system:node:node-2': ['system:nodes'],
  'system:node:node-9': ['system:nodes'],
  'system:node:': ['system:nodes'],
  'node-outside': ['system:nodes'],
  'system:kube-scheduler': [],
  'system:kube-controller-manager': [],
};

/** Users by token: each `{{token:NAME}}` is a fact. */
export const tokenUsers = ['robot', 'robot-pod', 'robot-secret', 'deployer', 'robot-aud', 'bootstrap', 'bootstrap-extra', 'legacy'];

/** Tokens that are to be refused; each a fact, too. */
export const badTokens = [
  'bootstrap-expired',
  'bootstrap-wrong',
  'bootstrap-no-auth',
  'legacy-other-secret',
  'alg-none',
  'alg-hs256',
  'broken-signature',
  'expired',
  'not-yet',
  'other-issuer',
  'other-audience',
  'no-audience',
  'other-uid',
  'other-account',
  'pod-other-uid',
  'pod-missing',
  'no-claims',
  'other-key',
  'no-kid',
  'other-kid',
  'subject-mismatch',
];

/** Texts behind `Authorization:` that no scheme reads in the usual way. */
const oddAuthorizations = [
  'Bearer',
  'Bearer ',
  'bearer {{token:robot}}',
  'BEARER {{token:robot}}',
  'Bearer  {{token:robot}}',
  'Bearer {{token:robot}} more',
  'Bearer\t{{token:robot}}',
  'Bearer {{token:robot}}=',
  'Bearer a.b.c',
  'Bearer ..',
  'Bearer é',
  'Basic YWxpY2U6eA==',
  'Token {{token:robot}}',
  'Digest username="x"',
  '{{token:robot}}',
];

function authorityOf(pki: string, name: string, commonName: string): Issued {
  const certificate = new X509Certificate(readFileSync(path.join(pki, `${name}.crt`)));
  const key = createPrivateKey(readFileSync(path.join(pki, `${name}.key`)));
  return { name: commonName, der: certificate.raw, certificate, key };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function byCertificate(name: string, leaf: Issued, chain: readonly Issued[] = []): Identity {
  const cert = [leaf, ...chain].map((one) => one.certificate.toString()).join('');
  return { name, certificate: { cert, key: pemOf(leaf.key) }, headers: [] };
}

/** All identities by name. Certificates are signed with the authorities of that directory. */
export function createIdentities(pki: string): ReadonlyMap<string, Identity> {
  const root = authorityOf(pki, 'ca', 'kubernetes');
  const frontProxy = authorityOf(pki, 'front-proxy-ca', 'front-proxy-ca');
  const valid = { validFromMs: Date.now() - dayMs, validToMs: Date.now() + dayMs };
  const identities: Identity[] = [{ name: 'anonymous', headers: [] }];
  for (const [name, groups] of Object.entries(certificateUsers))
    identities.push(byCertificate(name, issue(name, { ...valid, issuer: root, usages: [clientAuth], subject: subjectOf(name, groups) })));
  for (const name of [...tokenUsers, ...badTokens]) identities.push({ name, headers: [['Authorization', `Bearer {{token:${name}}}`]] });
  for (const [index, value] of oddAuthorizations.entries())
    identities.push({ name: `authorization-${index}`, headers: [['Authorization', value]] });
  identities.push(...oddCertificates(root, valid));
  const proxy = byCertificate('front-proxy', issue('front-proxy-client', { ...valid, issuer: frontProxy, usages: [clientAuth] }));
  const other = byCertificate('front-proxy-other', issue('other-client', { ...valid, issuer: frontProxy, usages: [clientAuth] }));
  const bound = byCertificate('certificate-and-token', issue('eve', { ...valid, issuer: root, usages: [clientAuth] }));
  identities.push(proxy, other, { ...bound, headers: [['Authorization', 'Bearer {{token:robot}}']] });
  return new Map(identities.map((identity) => [identity.name, identity]));
}

function subjectOf(name: string, groups: readonly string[]): Uint8Array {
  return encodeDistinguishedName([...groups.map((value) => ({ type: organizationType, value })), { type: commonNameType, value: name }]);
}

type Validity = Pick<CertificateOptions, 'validFromMs' | 'validToMs'>;

/** Certificates and chains that programs may judge differently. */
function oddCertificates(root: Issued, valid: Validity): Identity[] {
  const leaf = (options: Partial<CertificateOptions>) => issue('mallory', { ...valid, issuer: root, ...options });
  const between = (options: Partial<CertificateOptions> = {}) => issue('between', { ...valid, issuer: root, isCA: true, ...options });
  const [good, short, server, over, noCA] = [
    between(),
    between({ pathLength: 0 }),
    between({ usages: [serverAuth] }),
    between({ validToMs: Date.now() - 1000 }),
    between({ isCA: false }),
  ];
  const second = issue('second', { ...valid, issuer: good, isCA: true });
  const below = issue('below', { ...valid, issuer: short, isCA: true });
  const stranger = issue('kubernetes', { ...valid, isCA: true });
  const empty = encodeDER(derTags.sequence);
  const attribute = (type: string, ...values: string[]) => values.map((value) => ({ type, value }));
  const named = encodeExtension('2.5.29.17', encodeDER(derTags.sequence, encodeDER(0x82, Buffer.from('a.example'))));
  const subtree = encodeDER(derTags.sequence, encodeDER(derTags.sequence, encodeDER(0x82, Buffer.from('example'))));
  const constrained = between({
    extensions: [encodeExtension('2.5.29.30', encodeDER(derTags.sequence, encodeDER(0xa0, subtree.slice(2))), true)],
  });
  const subject = (...attributes: { type: string; value: string }[]) => encodeDistinguishedName(attributes);
  const certificates: [string, Issued, (readonly Issued[])?][] = [
    ['no usages', leaf({})],
    ['usage of clients', leaf({ usages: [clientAuth] })],
    ['usage of servers', leaf({ usages: [serverAuth] })],
    ['any usage', leaf({ usages: [serverAuth, anyUsage] })],
    ['unknown usage', leaf({ usages: ['1.2.3.4'] })],
    ['expired', leaf({ validToMs: Date.now() - 1000 })],
    ['not yet valid', leaf({ validFromMs: Date.now() + 3_600_000 })],
    ['self-signed', issue('mallory', valid)],
    ['of a stranger of the same name', leaf({ issuer: stranger })],
    ['of a stranger who is sent along', leaf({ issuer: stranger }), [stranger]],
    ['issuer in another encoding', leaf({ issuer: good, issuerName: subject({ type: commonNameType, value: 'BETWEEN' }) }), [good]],
    ['issuer of another string type', leaf({ issuerName: subject({ type: commonNameType, value: 'kubernetes' }) })],
    ['by way of one', leaf({ issuer: good }), [good]],
    ['by way of one that is missing', leaf({ issuer: good })],
    ['by way of two', leaf({ issuer: second }), [second, good]],
    ['by way of two in the other order', leaf({ issuer: second }), [good, second]],
    ['by way of two and more', leaf({ issuer: second }), [second, stranger, good]],
    ['by way of no authority', leaf({ issuer: noCA }), [noCA]],
    ['by way of one that is over', leaf({ issuer: over }), [over]],
    ['by way of one for servers', leaf({ issuer: server }), [server]],
    ['path length 0', leaf({ issuer: short }), [short]],
    ['path length exceeded', leaf({ issuer: below }), [below, short]],
    ['unknown extension', leaf({ extensions: [encodeExtension('1.2.3.4', empty)] })],
    ['unknown critical extension', leaf({ extensions: [encodeExtension('1.2.3.4', empty, true)] })],
    ['names under constraints', leaf({ issuer: constrained, extensions: [named] }), [constrained]],
    ['two common names', leaf({ subject: subject(...attribute(commonNameType, 'bob', 'eve')) })],
    ['no common name', leaf({ subject: subject(...attribute(organizationType, 'viewers')) })],
    ['empty subject', leaf({ subject: subject() })],
    ['empty common name', leaf({ subject: subject(...attribute(commonNameType, '')) })],
    [
      'quoted group',
      leaf({ subject: subject(...attribute(organizationType, 'x"system:masters"'), ...attribute(commonNameType, 'mallory')) }),
    ],
    [
      'group with comma',
      leaf({ subject: subject(...attribute(organizationType, 'x,system:masters'), ...attribute(commonNameType, 'mallory')) }),
    ],
    [
      'group with escape',
      leaf({ subject: subject(...attribute(organizationType, 'system\\:masters'), ...attribute(commonNameType, 'mallory')) }),
    ],
    [
      'many groups',
      leaf({
        subject: subject(...attribute(organizationType, 'viewers', 'approvers', 'viewers'), ...attribute(commonNameType, 'mallory')),
      }),
    ],
    ['name of a service account', leaf({ subject: subject(...attribute(commonNameType, 'system:serviceaccount:team-a:robot')) })],
    ['name of nobody', leaf({ subject: subject(...attribute(commonNameType, 'system:anonymous')) })],
    [
      'group of nobody',
      leaf({ subject: subject(...attribute(organizationType, 'system:unauthenticated'), ...attribute(commonNameType, 'mallory')) }),
    ],
    ['non-ASCII', leaf({ subject: subject(...attribute(commonNameType, 'mällory 🦊')) })],
    ['authority itself', issue('mallory', { ...valid, issuer: root, isCA: true })],
  ];
  return certificates.map(([name, one, chain]) => byCertificate(`certificate: ${name}`, one, chain));
}

/** A key that no server trusts, and the key id that its tokens would have. */
export function createOtherKey(): { readonly privateKey: KeyObject; readonly id: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, id: keyID(privateKey) };
}

/** The id of a signing key, as both servers derive it. */
export function keyID(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}
