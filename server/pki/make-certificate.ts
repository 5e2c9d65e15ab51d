import type * as X509Module from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../../api/base/clock.ts';
import type { Random } from '../../api/base/random.ts';
import { toDate } from '../../api/meta/time.ts';
import { commonNameType, encodeDistinguishedName, organizationType } from '../../api/semantics/certificates/distinguished-name.ts';
import type { AuthorityPEM, CertificateSpec, KeyPairPEM } from './certificate-spec.ts';
import { firstCertificate } from './pem-bundle.ts';

type X509Library = typeof X509Module;

export interface MakingDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const authorityDays = 3650;
const dayMs = 86_400_000;
/** How far the clocks of other machines may be behind. */
const skewMs = 300_000;

let library: Promise<X509Library> | undefined;

/** Loaded only when something must be made: most starts read certificates that are already there. */
export function loadX509(): Promise<X509Library> {
  library ??= (async () => {
    await import('reflect-metadata');
    const x509 = await import('@peculiar/x509');
    x509.cryptoProvider.set(webcrypto as unknown as Crypto);
    return x509;
  })();
  return library;
}

/** A new, self-signed certificate authority. */
export async function makeAuthority(commonName: string, dependencies: MakingDependencies): Promise<KeyPairPEM> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const nowMs = dependencies.clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(dependencies.random),
    name: [{ CN: [commonName] }],
    notBefore: toDate(nowMs - skewMs),
    notAfter: toDate(nowMs + authorityDays * dayMs),
    signingAlgorithm,
    keys: keys as Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[0]['keys'] & {},
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: commonName }]),
    ],
  });
  return { certificatePEM: withNewline(certificate.toString('pem')), keyPEM: await exportKey(keys.privateKey) };
}

/** A new key and its certificate, signed by `authority`. */
export async function makeCertificate(
  spec: CertificateSpec,
  authority: AuthorityPEM,
  dependencies: MakingDependencies,
): Promise<KeyPairPEM> {
  const keys = await generateKeys();
  const certificatePEM = await signCertificate(spec, keys.publicKey, authority, dependencies);
  return { certificatePEM: `${certificatePEM}${authority.chainPEM ?? ''}`, keyPEM: await exportKey(keys.privateKey) };
}

/** Certifies a public key that someone else holds the private part of (a certificate signing request). */
async function signCertificate(
  spec: CertificateSpec,
  publicKey: webcrypto.CryptoKey,
  authority: KeyPairPEM,
  { clock, random }: MakingDependencies,
): Promise<string> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(firstCertificate(authority.certificatePEM));
  const nowMs = clock.nowMs();
  const notAfterMs = Math.min(nowMs + spec.validityDays * dayMs, issuer.notAfter.getTime());
  const usages = spec.usages.map((usage) => (usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth));
  const names = alternativeNames(spec);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(random),
    subject: subjectOf(spec, x509),
    issuer: issuer.subjectName,
    notBefore: toDate(nowMs - skewMs),
    notAfter: toDate(notAfterMs),
    signingAlgorithm,
    publicKey: publicKey as CryptoKey,
    signingKey: await importSigningKey(authority.keyPEM),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return withNewline(certificate.toString('pem'));
}

/** A certificate by `issuer` with the name and key of another authority: clients that trust the issuer then trust that authority too. */
export async function crossSign(authorityPEM: string, issuer: KeyPairPEM, { random }: MakingDependencies): Promise<string> {
  const x509 = await loadX509();
  const subject = new x509.X509Certificate(firstCertificate(authorityPEM));
  const by = new x509.X509Certificate(firstCertificate(issuer.certificatePEM));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(random),
    subject: subject.subjectName,
    issuer: by.subjectName,
    notBefore: toDate(Math.max(subject.notBefore.getTime(), by.notBefore.getTime())),
    notAfter: toDate(Math.min(subject.notAfter.getTime(), by.notAfter.getTime())),
    signingAlgorithm,
    publicKey: await subject.publicKey.export(),
    signingKey: await importSigningKey(issuer.keyPEM),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(await subject.publicKey.export()),
      await x509.AuthorityKeyIdentifierExtension.create(await by.publicKey.export()),
    ],
  });
  return withNewline(certificate.toString('pem'));
}

/** A new P-256 key for signing tokens: private (PKCS #8) and public (SPKI) part, PEM. */
export async function makeSigningKey(): Promise<{ readonly privateKeyPEM: string; readonly publicKeyPEM: string }> {
  const keys = await generateKeys();
  const spki = new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  return { privateKeyPEM: await exportKey(keys.privateKey), publicKeyPEM: formatPEM('PUBLIC KEY', spki) };
}

/** From octets: the library would read quotes, backslashes and `#` in a text as syntax. */
function subjectOf({ organizations = [], commonName }: CertificateSpec, x509: X509Library): X509Module.Name {
  const der = encodeDistinguishedName([
    ...organizations.map((value) => ({ type: organizationType, value })),
    { type: commonNameType, value: commonName },
  ]);
  return new x509.Name(Buffer.from(der));
}

function alternativeNames(spec: CertificateSpec): { type: 'dns' | 'ip'; value: string }[] {
  const dns = (spec.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value }));
  const addresses = (spec.addresses ?? []).filter((value) => isIP(value) !== 0).map((value) => ({ type: 'ip' as const, value }));
  return [...dns, ...addresses];
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

/** A private key (PKCS #8) that signs certificates. */
async function importSigningKey(pem: string): Promise<CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return (await webcrypto.subtle.importKey('pkcs8', der, signingAlgorithm, false, ['sign'])) as CryptoKey;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return formatPEM('PRIVATE KEY', new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', key)));
}

export function formatPEM(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Positive and of 128 bits at most (RFC 5280 4.1.2.2). */
export function serialNumber(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return Buffer.from(bytes).toString('hex');
}

function withNewline(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
