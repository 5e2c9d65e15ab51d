import { hash, X509Certificate } from 'node:crypto';
import type { Clock } from '../../../api/base/clock.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { Authenticator } from './authenticator.ts';

const clientAuthUsage = '1.3.6.1.5.5.7.3.2';
const anyUsage = '2.5.29.37.0';

/** What a certificate says about its holder, once it is known to come from one of our authorities. */
export interface VerifiedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly fingerprint: string;
  /** Who it says its holder is. */
  readonly user: UserInfo;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/**
 * Verifies client certificates (DER) against authorities (PEM): signature, client usage, validity now. Results are kept by the
 * identity of the bytes, of which there is one per connection; only the time is looked at again.
 */
export function createCertificateVerifier(
  authoritiesPEM: readonly string[],
  clock: Clock,
): (certificate: Uint8Array) => VerifiedCertificate | undefined {
  const authorities = authoritiesPEM.map((pem) => new X509Certificate(pem));
  const known = new WeakMap<Uint8Array, { readonly verified: VerifiedCertificate | undefined }>();
  return (certificate) => {
    let entry = known.get(certificate);
    if (!entry) {
      entry = { verified: verify(certificate, authorities) };
      known.set(certificate, entry);
    }
    const { verified } = entry;
    const nowMs = clock.nowMs();
    return verified && verified.validFromMs <= nowMs && nowMs <= verified.validToMs ? verified : undefined;
  };
}

function verify(der: Uint8Array, authorities: readonly X509Certificate[]): VerifiedCertificate | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return undefined;
  }
  const isOurs = authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
  const usages: readonly string[] = certificate.keyUsage ?? [];
  if (!isOurs || !(usages.includes(clientAuthUsage) || usages.includes(anyUsage))) return undefined;
  const subject = parseSubject(certificate);
  const commonName = subject.get('CN')?.[0] ?? '';
  const organizations = subject.get('O') ?? [];
  const fingerprint = hash('sha256', der, 'hex');
  return {
    commonName,
    organizations,
    fingerprint,
    user: {
      name: commonName,
      groups: organizations,
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
    },
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
  };
}

/** From the legacy form, whose values are not escaped: a line break in a name must not begin another attribute. */
function parseSubject(certificate: X509Certificate): Map<string, string[]> {
  const { subject } = certificate.toLegacyObject();
  const result = new Map<string, string[]>();
  for (const [name, value] of Object.entries(subject as unknown as Record<string, string | string[] | undefined>)) {
    if (value !== undefined) result.set(name, Array.isArray(value) ? value : [value]);
  }
  return result;
}

/** Users by client certificate: the common name is the user, organizations are groups. */
export function clientCertificateAuthenticator(
  verifyCertificate: (certificate: Uint8Array) => VerifiedCertificate | undefined,
): Authenticator {
  return {
    authenticate({ peer }): UserInfo | undefined {
      if (peer?.certificate === undefined) return undefined;
      const verified = verifyCertificate(peer.certificate);
      return !verified || verified.commonName === '' ? undefined : verified.user;
    },
  };
}
