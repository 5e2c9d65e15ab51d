import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { splitCertificates } from './pem-bundle.ts';

/** A certificate to be checked, and the data that the check needs. */
export interface CertificateSource {
  /** The certificate's name in commands, e.g. `apiserver`. */
  readonly name: string;
  /** For people. */
  readonly file: string;
  readonly kind: 'certificate' | 'authority';
  /** Absent: the file is missing. The first certificate is looked at. */
  readonly certificatePEM?: string;
  /** Absent: the key is kept elsewhere. '' where it is to be there and is not. */
  readonly keyPEM?: string;
  /** The authority that must have signed it. Absent: any may. */
  readonly authority?: { readonly name: string; readonly trustedPEM: string };
  /** Names and addresses that it has to have. */
  readonly names?: readonly string[];
  /** Advice where it is expired or wrong. */
  readonly remedy: string;
}

export interface CheckedCertificate {
  readonly name: string;
  readonly file: string;
  readonly kind: CertificateSource['kind'];
  /** '' where the certificate cannot be read; so are the others then. */
  readonly subject: string;
  readonly issuer: string;
  readonly authority: string;
  readonly expiresAt: string;
  readonly daysLeft: number;
  readonly problems: readonly CertificateProblem[];
}

export interface CertificateProblem {
  readonly problem: string;
  readonly advice: string;
}

interface CheckTerms {
  readonly nowMs: number;
  /** A certificate that has less than this left is a problem. */
  readonly thresholdDays: number;
}

const dayMs = 86_400_000;

export function checkCertificate(source: CertificateSource, terms: CheckTerms): CheckedCertificate {
  const { name, file, kind } = source;
  const common = { name, file, kind, authority: source.authority?.name ?? '' };
  try {
    if (source.certificatePEM === undefined) throw new Error('it is missing');
    const certificate = new X509Certificate(source.certificatePEM);
    const problems = [
      ...timeProblems(certificate, terms),
      ...keyProblems(certificate, source),
      ...authorityProblems(certificate, source),
      ...nameProblems(certificate, source),
    ];
    return {
      ...common,
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      expiresAt: certificate.validToDate.toISOString(),
      daysLeft: (certificate.validToDate.getTime() - terms.nowMs) / dayMs,
      problems: problems.map((problem) => ({ problem, advice: source.remedy })),
    };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const problem = text === 'it is missing' ? text : `it cannot be read: ${text}`;
    return { ...common, subject: '', issuer: '', expiresAt: '', daysLeft: Number.NaN, problems: [{ problem, advice: source.remedy }] };
  }
}

function timeProblems({ validFromDate, validToDate }: X509Certificate, { nowMs, thresholdDays }: CheckTerms): string[] {
  const [fromMs, toMs] = [validFromDate.getTime(), validToDate.getTime()];
  if (fromMs > nowMs) return [`it is not valid before ${validFromDate.toISOString()}: is the clock of this machine right?`];
  if (toMs <= nowMs) return [`it expired ${validToDate.toISOString()}`];
  const daysLeft = (toMs - nowMs) / dayMs;
  return daysLeft < thresholdDays ? [`it expires in ${Math.floor(daysLeft)} days`] : [];
}

function keyProblems(certificate: X509Certificate, { keyPEM }: CertificateSource): string[] {
  if (keyPEM === undefined) return [];
  if (keyPEM === '') return ['its key is missing'];
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPEM)) ? [] : ['the key is not that of the certificate'];
  } catch (error) {
    return [`its key cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function authorityProblems(certificate: X509Certificate, { kind, authority }: CertificateSource): string[] {
  if (kind === 'authority') return certificate.ca ? [] : ['it is not a CA certificate'];
  if (authority === undefined) return [];
  const isSigned = splitCertificates(authority.trustedPEM)
    .map((pem) => new X509Certificate(pem))
    .some((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
  return isSigned ? [] : [`it is not signed by the authority there (${authority.name})`];
}

function nameProblems(certificate: X509Certificate, { names = [] }: CertificateSource): string[] {
  const isNamed = (name: string) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  return names.filter((name) => !isNamed(name)).map((name) => `it does not name ${name}`);
}

/** Parts of a subject, the most special first, as openssl shows it. */
function oneLine(subject: string): string {
  return subject.split('\n').join(', ');
}

export interface CheckedKey {
  readonly name: string;
  readonly file: string;
  /** The key ids of the verifying keys, as tokens contain them; the first key signs. */
  readonly ids: readonly string[];
  readonly problems: readonly CertificateProblem[];
}

/** Checks the keys of service accounts: the signing key and the verifying keys. */
export function checkServiceAccountKeys(
  file: string,
  { privateKeyPEM, publicKeysPEM }: { readonly privateKeyPEM: string | undefined; readonly publicKeysPEM: readonly string[] },
): CheckedKey {
  const remedy = 'restore it from a backup: without it every token of the cluster is void';
  const common = { name: 'service-account', file };
  try {
    if (privateKeyPEM === undefined) throw new Error('it is missing');
    const own = keyID(createPublicKey(privateKeyPEM));
    const others = publicKeysPEM.map((pem) => keyID(createPublicKey(pem)));
    const problems = others.includes(own)
      ? []
      : [{ problem: 'sa.pub does not hold the public half of sa.key', advice: 'remove sa.pub: the next start makes it anew' }];
    return { ...common, ids: [...new Set([own, ...others])], problems };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const problem = text === 'it is missing' ? text : `it cannot be read: ${text}`;
    return { ...common, ids: [], problems: [{ problem, advice: remedy }] };
  }
}

function keyID(key: ReturnType<typeof createPublicKey>): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
