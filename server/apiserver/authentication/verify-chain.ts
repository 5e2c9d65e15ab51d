import type { X509Certificate } from 'node:crypto';
import { readCertificateIssuer, readCertificateSubject } from '../../../api/serialization/certificate-subject.ts';
import { DERError, type DERElement, derTags, readDER, readDERElements, readObjectIdentifier } from '../../../api/base/der.ts';
import { allowsNames, parseNameConstraints } from './name-constraints.ts';

/** A chain from a certificate to an authority, and when all of it is valid. */
interface VerifiedChain {
  readonly validFromMs: number;
  readonly validToMs: number;
}

const usageTypes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;
const anyUsage = '2.5.29.37.0';
const nameConstraintsType = '2.5.29.30';
const alternativeNamesType = '2.5.29.17';
const basicConstraintsType = '2.5.29.19';
/** Critical extensions that are looked at here, by OpenSSL (key usages), or say nothing that matters to clients (policies). */
const understood: ReadonlySet<string> = new Set([
  '2.5.29.14',
  '2.5.29.15',
  alternativeNamesType,
  basicConstraintsType,
  nameConstraintsType,
  '2.5.29.32',
  '2.5.29.35',
  '2.5.29.36',
  '2.5.29.37',
  '2.5.29.54',
]);
/** RSA with SHA-256, 384 and 512, RSA-PSS, ECDSA with the same, Ed25519. */
const strongAlgorithms: ReadonlySet<string> = new Set([
  ...['11', '12', '13', '10'].map((last) => `1.2.840.113549.1.1.${last}`),
  ...['2', '3', '4'].map((last) => `1.2.840.10045.4.3.${last}`),
  '1.3.101.112',
]);
/** The maximum number of signature checks, the same as Go's: a client cannot cause them without bound. */
const maxSignatureChecks = 100;
const maxChainLength = 10;

/**
 * Verifies a certificate as Go's crypto/x509 does, of a client unless a server's is asked for: a chain by way of the
 * intermediate certificates to an authority, all valid at that time, whose extended key usages, where there are any, allow it.
 */
export function verifyChain(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
  usage: keyof typeof usageTypes = 'client',
): VerifiedChain | undefined {
  let checks = 0;
  const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate) =>
    issuer.ca &&
    namesIssuer(certificate, issuer) &&
    certificate.checkIssued(issuer) &&
    isStrong(certificate) &&
    ++checks <= maxSignatureChecks &&
    certificate.verify(issuer.publicKey);
  const extend = (chain: readonly X509Certificate[]): readonly X509Certificate[] | undefined => {
    const last = chain.at(-1) ?? leaf;
    const isNew = (issuer: X509Certificate) => !chain.some((one) => one.raw.equals(issuer.raw));
    const isPossible = (issuer: X509Certificate) => isNew(issuer) && isWithinPath(issuer, chain) && isIssuedBy(last, issuer);
    for (const authority of authorities) {
      if (!isPossible(authority)) continue;
      const complete = [...chain, authority];
      if (isAcceptable(complete, nowMs, usage)) return complete;
    }
    if (chain.length >= maxChainLength) return undefined;
    for (const issuer of intermediates) {
      const found = isPossible(issuer) ? extend([...chain, issuer]) : undefined;
      if (found) return found;
    }
    return undefined;
  };
  const isAuthority = authorities.some((authority) => authority.raw.equals(leaf.raw));
  const chain = isAuthority && isAcceptable([leaf], nowMs, usage) ? [leaf] : extend([leaf]);
  if (!chain) return undefined;
  return {
    validFromMs: Math.max(...chain.map(({ validFromDate }) => validFromDate.getTime())),
    validToMs: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())),
  };
}

/** Octet by octet, as Go compares names: OpenSSL takes names for the same that are written in another case or string type. */
function namesIssuer(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return Buffer.from(readCertificateIssuer(certificate.raw)).equals(readCertificateSubject(issuer.raw));
}

function isAcceptable(chain: readonly X509Certificate[], nowMs: number, usage: keyof typeof usageTypes): boolean {
  const extensions = chain.map(extensionsOf);
  const isUnderstood = extensions.every((list) => list.every(({ type, isCritical }) => !isCritical || understood.has(type)));
  return (
    isUnderstood &&
    chain.every((certificate) => allowsUsage(certificate, usageTypes[usage]) && isValid(certificate, nowMs)) &&
    extensions.every((list, index) => allowsChain(list, extensions.slice(0, index)))
  );
}

/** Whether the constraints of an authority allow the names of all certificates below it. */
function allowsChain(authority: readonly Extension[], below: readonly (readonly Extension[])[]): boolean {
  const found = authority.find(({ type }) => type === nameConstraintsType);
  if (!found) return true;
  const constraints = parseNameConstraints(found.value);
  if (constraints.hasOthers && found.isCritical) return false;
  return below.every((list) => list.every(({ type, value }) => type !== alternativeNamesType || allowsNames(constraints, value)));
}

/** Whether it is signed by an algorithm that Go accepts: none with SHA-1 or MD5. */
function isStrong({ raw }: X509Certificate): boolean {
  const [, algorithm] = readDERElements(readDER(raw).content);
  const [type] = algorithm ? readDERElements(algorithm.content) : [];
  return type !== undefined && strongAlgorithms.has(readObjectIdentifier(type));
}

function allowsUsage({ keyUsage }: X509Certificate, wanted: string): boolean {
  const usages: readonly string[] | undefined = keyUsage;
  return usages === undefined || usages.includes(wanted) || usages.includes(anyUsage);
}

function isValid({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

/** Whether an authority allows as many intermediate certificates as there are between it and the first of the chain. */
function isWithinPath(issuer: X509Certificate, chain: readonly X509Certificate[]): boolean {
  const constraints = extensionsOf(issuer).find(({ type }) => type === basicConstraintsType);
  if (!constraints) return true;
  const length = readDERElements(readDER(constraints.value).content).find(({ tag }) => tag === derTags.integer);
  return length === undefined || chain.length - 1 <= Number(`0x${Buffer.from(length.content).toString('hex')}`);
}

interface Extension {
  readonly type: string;
  readonly isCritical: boolean;
  /** DER. */
  readonly value: Uint8Array;
}

const known = new WeakMap<X509Certificate, readonly Extension[]>();

function extensionsOf(certificate: X509Certificate): readonly Extension[] {
  let found = known.get(certificate);
  if (!found) known.set(certificate, (found = readExtensions(certificate.raw)));
  return found;
}

/** Throws DERError. */
function readExtensions(der: Uint8Array): readonly Extension[] {
  const [body] = readDERElements(readDER(der).content);
  const wrapped = body && readDERElements(body.content).find(({ tag }) => tag === 0xa3);
  return wrapped ? readDERElements(readDER(wrapped.content).content).map(readExtension) : [];
}

function readExtension({ content }: DERElement): Extension {
  const [type, ...rest] = readDERElements(content);
  const value = rest.at(-1);
  if (!type || value?.tag !== derTags.octetString) throw new DERError('structure error: not an extension');
  return { type: readObjectIdentifier(type), isCritical: rest.length > 1 && rest[0]?.content[0] !== 0, value: value.content };
}
