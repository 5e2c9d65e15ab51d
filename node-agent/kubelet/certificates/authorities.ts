import { createHash, X509Certificate } from 'node:crypto';
import type { ClusterAuthorities, NodeCertificates } from '../../../api/semantics/certificates/cluster-authorities.ts';

const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** The certificates of a PEM text. Throws if one cannot be parsed. */
export function readCertificates(pem: string): X509Certificate[] {
  return [...pem.matchAll(certificatePattern)].map(([block]) => new X509Certificate(block));
}

/** SHA-256, hexadecimal. */
export function fingerprintOf(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** The fingerprint of the authority in the bundle that signed the (first) certificate; '' where none did. */
export function issuerOf(certificatePEM: string | undefined, bundlePEM: string): string {
  try {
    const [certificate] = readCertificates(certificatePEM ?? '');
    const issuer = certificate && readCertificates(bundlePEM).find((one) => isIssuedBy(certificate, one));
    return issuer ? fingerprintOf(issuer) : '';
  } catch {
    return '';
  }
}

/** Whether a certificate is by another authority than the one that signs now, which is the first of the bundle. */
export function isOfOlderAuthority(certificatePEM: string, bundlePEM: string): boolean {
  try {
    const [signing] = readCertificates(bundlePEM);
    return signing !== undefined && issuerOf(certificatePEM, bundlePEM) !== fingerprintOf(signing);
  } catch {
    return false;
  }
}

/** A node's report on its certificates. */
export function describeCertificates(bundlePEM: string, client: string | undefined, serving: string | undefined): NodeCertificates {
  return {
    trusted: readCertificates(bundlePEM).map(fingerprintOf),
    client: issuerOf(client, bundlePEM),
    serving: issuerOf(serving, bundlePEM),
  };
}

/** The reason why a node must not trust the published authorities; undefined: it may. */
export function refuseAuthorities(trustedPEM: string, offered: ClusterAuthorities): string | undefined {
  try {
    const trusted = readCertificates(trustedPEM);
    const vouchers = readCertificates(offered.vouchers);
    const known = new Set(trusted.map(fingerprintOf));
    const unknown = readCertificates(offered.trusted).filter((one) => !known.has(fingerprintOf(one)));
    const stranger = unknown.find((authority) => !authority.ca || !vouchers.some((voucher) => isVoucher(voucher, authority, trusted)));
    return stranger && `no authority that is trusted vouches for ${stranger.subject}, ${fingerprintOf(stranger)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whether a trusted authority has certified the name and the key of the other one. */
function isVoucher(voucher: X509Certificate, authority: X509Certificate, trusted: readonly X509Certificate[]): boolean {
  const spki = (certificate: X509Certificate) => certificate.publicKey.export({ type: 'spki', format: 'der' });
  return (
    voucher.ca &&
    voucher.subject === authority.subject &&
    spki(voucher).equals(spki(authority)) &&
    trusted.some((one) => isIssuedBy(voucher, one))
  );
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
