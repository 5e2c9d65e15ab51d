import type { X509Certificate } from 'node:crypto';
import { readCertificateIssuer, readCertificateSubject } from '../../../api/serialization/certificate-subject.ts';
import { DERError, type DERElement, derTags, readDER, readDERElements, readObjectIdentifier } from '../../../api/base/der.ts';

/** A chain from a certificate to an authority, and when all of it is valid. */
export interface VerifiedChain {
  readonly validFromMs: number;
  readonly validToMs: number;
}

const clientAuthUsage = '1.3.6.1.5.5.7.3.2';
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
/** As in Go: a client cannot have signatures checked without end. */
const maxSignatureChecks = 100;
const maxChainLength = 10;

/**
 * Verifies a client's certificate as Go's crypto/x509 does for client authentication: a chain by way of the intermediate
 * certificates to an authority, all valid at that time, whose extended key usages, where there are any, allow it.
 */
export function verifyChain(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
): VerifiedChain | undefined {
  let checks = 0;
  const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate) =>
    issuer.ca &&
    namesIssuer(certificate, issuer) &&
    certificate.checkIssued(issuer) &&
    ++checks <= maxSignatureChecks &&
    certificate.verify(issuer.publicKey);
  const extend = (chain: readonly X509Certificate[]): readonly X509Certificate[] | undefined => {
    const last = chain.at(-1) ?? leaf;
    const isNew = (issuer: X509Certificate) => !chain.some((one) => one.raw.equals(issuer.raw));
    const isPossible = (issuer: X509Certificate) => isNew(issuer) && isWithinPath(issuer, chain) && isIssuedBy(last, issuer);
    for (const authority of authorities) {
      if (!isPossible(authority)) continue;
      const complete = [...chain, authority];
      if (isAcceptable(complete, nowMs)) return complete;
    }
    if (chain.length >= maxChainLength) return undefined;
    for (const issuer of intermediates) {
      const found = isPossible(issuer) ? extend([...chain, issuer]) : undefined;
      if (found) return found;
    }
    return undefined;
  };
  const chain = extend([leaf]);
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

function isAcceptable(chain: readonly X509Certificate[], nowMs: number): boolean {
  const extensions = chain.map(extensionsOf);
  const isUnderstood = extensions.every((list) => list.every(({ type, isCritical }) => !isCritical || understood.has(type)));
  const hasNames = extensions[0]?.some(({ type }) => type === alternativeNamesType) ?? false;
  // Constraints on names are not evaluated: where they could matter, the chain is not accepted.
  const isConstrained = hasNames && extensions.slice(1).some((list) => list.some(({ type }) => type === nameConstraintsType));
  return isUnderstood && !isConstrained && chain.every((certificate) => isForClients(certificate) && isValid(certificate, nowMs));
}

function isForClients({ keyUsage }: X509Certificate): boolean {
  const usages: readonly string[] | undefined = keyUsage;
  return usages === undefined || usages.includes(clientAuthUsage) || usages.includes(anyUsage);
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
