import { constants, createPrivateKey, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto';
import type { CertificateAuthority, CertificateTerms } from '../controllers/runtime/certificate-authority.ts';
import { mapWatched, type WatchedValue } from '../../api/base/watched-value.ts';
import type { Random } from '../../api/base/random.ts';
import {
  alternativeNamesType,
  type CertificateRequest,
  CertificateRequestError,
  readGeneralNames,
} from '../../api/semantics/certificates/certificate-request.ts';
import { readCertificateSubject } from '../../api/serialization/certificate-subject.ts';
import { derTags, encodeDER, encodeObjectIdentifier, equalBytes, readDER, readDERElements } from '../../api/base/der.ts';
import { encodeCertificate } from './encode-certificate.ts';
import type { KeyPairPEM } from './certificate-spec.ts';
import { firstCertificate } from './pem-bundle.ts';
import { formatPEM, loadX509, serialNumber } from './make-certificate.ts';

/** The cluster's CA as controllers use it: answers requests with certificates. */
export function createCertificateAuthority(
  authority: WatchedValue<KeyPairPEM>,
  { random }: { readonly random: Random },
): CertificateAuthority {
  const issuer = mapWatched(authority, (pair) => once(() => readIssuer(pair)));
  return { sign: async (request, terms) => sign(request, terms, await issuer.get()(), random) };
}

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let computed: Promise<T> | undefined;
  return () => (computed ??= compute());
}

/** The common part of all certificates of an authority. */
interface Issuer {
  readonly certificate: X509Certificate;
  readonly signingKey: KeyObject;
  /** The authority's own subject, DER. */
  readonly subject: Uint8Array;
  readonly keyIdentifier: Uint8Array;
}

async function readIssuer({ certificatePEM: bundle, keyPEM }: KeyPairPEM): Promise<Issuer> {
  const x509 = await loadX509();
  const certificatePEM = firstCertificate(bundle);
  const certificate = new X509Certificate(certificatePEM);
  const publicKey = await new x509.X509Certificate(certificatePEM).publicKey.export();
  const { rawData } = await x509.AuthorityKeyIdentifierExtension.create(publicKey);
  return {
    certificate,
    signingKey: createPrivateKey(keyPEM),
    subject: readCertificateSubject(certificate.raw),
    keyIdentifier: new Uint8Array(rawData),
  };
}

/** Bits of the key usage extension (RFC 5280 4.2.1.3), by the words of the certificates API. */
const keyUsages: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
};

/** In the order in which upstream's certificates list them. */
const extendedKeyUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

async function sign(request: CertificateRequest, terms: CertificateTerms, issuer: Issuer, random: Random): Promise<string> {
  if (!isSignedByItsKey(request)) throw new CertificateRequestError('unable to verify certificate request signature');
  const der = encodeCertificate({
    serialNumber: serialNumber(random),
    issuer: issuer.subject,
    subject: request.subject,
    publicKeyInfo: request.publicKeyInfo,
    notBeforeMs: terms.notBeforeMs,
    notAfterMs: Math.min(terms.notAfterMs, issuer.certificate.validToDate.getTime()),
    extensions: await extensionsFor(request, terms, issuer),
    signingKey: issuer.signingKey,
  });
  checkIssued(der, request, issuer.certificate);
  return formatPEM('CERTIFICATE', der);
}

async function extensionsFor(request: CertificateRequest, terms: CertificateTerms, { keyIdentifier }: Issuer): Promise<Uint8Array[]> {
  const x509 = await loadX509();
  const bits = terms.usages.reduce((sum, usage) => sum | (keyUsages[usage] ?? 0), 0);
  const extended = new Set(Object.entries(extendedKeyUsages).flatMap(([usage, id]) => (terms.usages.includes(usage) ? [id] : [])));
  const extensions = [
    ...(bits === 0 ? [] : [new x509.KeyUsagesExtension(bits, true)]),
    ...(extended.size === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extended])]),
    new x509.BasicConstraintsExtension(false, undefined, true),
  ];
  return [
    ...extensions.map(({ rawData }) => new Uint8Array(rawData)),
    keyIdentifier,
    ...(request.alternativeNames.length === 0 ? [] : [alternativeNamesExtension(request)]),
  ];
}

/** Critical where the subject is empty (RFC 5280 4.2.1.6). */
function alternativeNamesExtension({ subject, alternativeNames }: CertificateRequest): Uint8Array {
  const isCritical = readDER(subject).content.length === 0;
  return encodeDER(
    derTags.sequence,
    encodeObjectIdentifier(alternativeNamesType),
    ...(isCritical ? [encodeDER(0x01, Uint8Array.of(0xff))] : []),
    encodeDER(derTags.octetString, encodeDER(derTags.sequence, ...alternativeNames)),
  );
}

/** The hashes of the signature algorithms that Go accepts. Ed25519 has its own hash. */
const signatureHashes: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};
const pssType = '1.2.840.113549.1.1.10';
const pssHashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

function isSignedByItsKey({ info, publicKeyInfo, signatureAlgorithm, signature }: CertificateRequest): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
    const hash = signatureHashes[signatureAlgorithm.type];
    if (signatureAlgorithm.type === pssType) return isSignedByPSS(key, info, signature, signatureAlgorithm.parameters?.content);
    return hash !== undefined && verify(hash, info, key, signature);
  } catch {
    return false; // a key or an algorithm that OpenSSL does not know
  }
}

/** The hash is the first of the parameters (RFC 4055 3.1); the salt must be as long as the hash. */
function isSignedByPSS(key: KeyObject, info: Uint8Array, signature: Uint8Array, parameters: Uint8Array | undefined): boolean {
  const wanted = Object.entries(pssHashes).find(
    ([id]) => parameters && Buffer.from(parameters.subarray(0, 20)).includes(encodeObjectIdentifier(id)),
  );
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return wanted !== undefined && verify(wanted[1], info, { key, ...padding }, signature);
}

/**
 * Reads an issued certificate again and throws unless its contents equal those of the request, octet by octet and as OpenSSL reads them.
 */
function checkIssued(der: Uint8Array, request: CertificateRequest, issuer: X509Certificate): void {
  const certificate = new X509Certificate(der);
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey) || certificate.ca)
    throw new Error('the issued certificate is not a leaf certificate of its authority');
  const [body] = readDERElements(readDER(der).content);
  const fields = body ? readDERElements(body.content) : [];
  const names = alternativeNamesOf(fields.find(({ tag }) => tag === 0xa3)?.content);
  const isSame =
    equalBytes(fields[5]?.raw ?? new Uint8Array(0), request.subject) &&
    equalBytes(fields[6]?.raw ?? new Uint8Array(0), request.publicKeyInfo) &&
    names.length === request.alternativeNames.length &&
    names.every((name, index) => equalBytes(name, request.alternativeNames[index] ?? new Uint8Array(0)));
  if (!isSame) throw new Error('the issued certificate does not say what the request says');
  const { commonNames, organizations } = subjectByOpenSSL(certificate);
  const wanted = request.commonName === '' ? [] : [request.commonName];
  if (!equalTexts(commonNames.filter(Boolean), wanted) || !equalTexts(organizations, request.organizations))
    throw new CertificateRequestError('subject can be read in more than one way');
}

function alternativeNamesOf(extensions: Uint8Array | undefined): Uint8Array[] {
  const all = extensions ? readDERElements(readDER(extensions).content).map(({ content }) => readDERElements(content)) : [];
  const wanted = encodeObjectIdentifier(alternativeNamesType);
  const found = all.find(([type]) => type && equalBytes(type.raw, wanted));
  const value = found?.at(-1);
  return value ? readGeneralNames(value.content).map(({ raw }) => raw) : [];
}

function subjectByOpenSSL(certificate: X509Certificate): { readonly commonNames: string[]; readonly organizations: string[] } {
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  const values = (name: string) => [subject[name] ?? []].flat();
  return { commonNames: values('CN'), organizations: values('O') };
}

function equalTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
