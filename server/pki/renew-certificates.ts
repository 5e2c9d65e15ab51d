import { X509Certificate } from 'node:crypto';
import { formatTime } from '../../api/meta/time.ts';
import { commonNameType, organizationType, readDistinguishedName } from '../../api/semantics/certificates/distinguished-name.ts';
import { readCertificateSubject } from '../../api/serialization/certificate-subject.ts';
import { type AuthorityPEM, type CertificateSpec, leafDays } from './certificate-spec.ts';
import { loadX509, makeCertificate, type MakingDependencies } from './make-certificate.ts';
import { splitCertificates } from './pem-bundle.ts';
import { pairChanges, type PKIChange, type PKIContents } from './pki-files.ts';

export type AuthorityName = 'ca' | 'front-proxy-ca';
export const authorityNames: readonly AuthorityName[] = ['ca', 'front-proxy-ca'];

/** File names of the parts of a rotation; none of them is a leaf certificate. */
export const nextOf = (authority: AuthorityName): string => `${authority}-next`;
export const previousOf = (authority: AuthorityName): string => `${authority}-previous`;
/** The new authority's certificate by the old one, for clients that know only the old one. */
export const crossOf = (authority: AuthorityName): string => `${authority}-cross`;

const ofAuthorities = new Set(authorityNames.flatMap((name) => [name, nextOf(name), previousOf(name), crossOf(name)]));

/** Names of the leaf certificates: those that have a file, and are no authority. */
export function leafNames(contents: PKIContents): string[] {
  return [...contents.keys()]
    .filter((path) => path.endsWith('.crt'))
    .map((path) => path.slice(0, -'.crt'.length))
    .filter((name) => !ofAuthorities.has(name))
    .sort();
}

/** The authority that signs the leaf certificate of that name. */
export function authorityOf(leaf: string): AuthorityName {
  return leaf === 'front-proxy-client' ? 'front-proxy-ca' : 'ca';
}

/** An authority cannot sign now. */
class AuthorityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AuthorityError';
  }
}

/** New keys and certificates in place of those of that name: for the same subject, names, addresses and usages. */
export async function planRenewal(contents: PKIContents, names: readonly string[], making: MakingDependencies): Promise<PKIChange[]> {
  const changes = await Promise.all(names.map((name) => renewOne(contents, name, making)));
  return changes.flat();
}

async function renewOne(contents: PKIContents, name: string, making: MakingDependencies): Promise<PKIChange[]> {
  const certificatePEM = contents.get(`${name}.crt`);
  if (certificatePEM === undefined) throw new Error(`there is no certificate ${name}; there are ${leafNames(contents).join(', ')}`);
  const authorityName = authorityOf(name);
  const authority = getAuthority(contents, authorityName, making.clock.nowMs());
  return pairChanges(name, await makeCertificate(await specOf(certificatePEM, name), authority, making));
}

/** The cross-signed certificate of the signing authority, while there is one. */
export function chainOf(authorityPEM: string, crossPEM: string | undefined): { readonly chainPEM?: string } {
  if (crossPEM === undefined) return {};
  const spki = (pem: string) => new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return spki(authorityPEM).equals(spki(crossPEM)) ? { chainPEM: crossPEM } : {};
}

/** The pair that signs: the first certificate of the bundle, and its key. Throws AuthorityError where it cannot. */
export function getAuthority(contents: PKIContents, name: AuthorityName, nowMs: number): AuthorityPEM {
  const [bundle, keyPEM] = [contents.get(`${name}.crt`), contents.get(`${name}.key`)];
  const [certificatePEM] = splitCertificates(bundle ?? '');
  if (certificatePEM === undefined || keyPEM === undefined) throw new AuthorityError(`${name}.crt or ${name}.key is missing`);
  const { validFromDate, validToDate } = new X509Certificate(certificatePEM);
  const now = `the clock of this machine says ${formatTime(nowMs)}`;
  if (validToDate.getTime() <= nowMs)
    throw new AuthorityError(`${name}.crt was valid until ${formatTime(validToDate.getTime())}, and ${now}: nothing is signed with it`);
  if (validFromDate.getTime() > nowMs)
    throw new AuthorityError(`${name}.crt is valid from ${formatTime(validFromDate.getTime())} on, and ${now}: nothing is signed with it`);
  return { certificatePEM, keyPEM, ...chainOf(certificatePEM, contents.get(`${crossOf(name)}.crt`)) };
}

/** The specification of a certificate, for making another one with the same contents. */
async function specOf(certificatePEM: string, name: string): Promise<CertificateSpec> {
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(certificatePEM);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}.crt cannot be read (${problem}): remove it and its key; the next start makes it anew`, { cause: error });
  }
  const attributes = readDistinguishedName(readCertificateSubject(parsed.raw));
  const x509 = await loadX509();
  const names = new x509.X509Certificate(certificatePEM).getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const usages: readonly string[] = parsed.keyUsage ?? [];
  return {
    commonName: attributes.findLast(({ type }) => type === commonNameType)?.value ?? '',
    organizations: attributes.filter(({ type }) => type === organizationType).map(({ value }) => value),
    usages: (['server', 'client'] as const).filter((usage) =>
      usages.includes(usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'),
    ),
    dnsNames: names.filter(({ type }) => type === 'dns').map(({ value }) => value),
    addresses: names.filter(({ type }) => type === 'ip').map(({ value }) => value),
    validityDays: leafDays,
  };
}

/** Leaf certificates that have less than a tenth of their life left, or are not valid yet; those that cannot be read are left out. */
export function dueLeaves(contents: PKIContents, nowMs: number): string[] {
  return leafNames(contents).filter((name) => {
    try {
      const { validFromDate, validToDate } = new X509Certificate(contents.get(`${name}.crt`) ?? '');
      const [fromMs, toMs] = [validFromDate.getTime(), validToDate.getTime()];
      return fromMs > nowMs || toMs - nowMs < (toMs - fromMs) / 10;
    } catch {
      return false;
    }
  });
}
