import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { formatTime } from '../../api/meta/time.ts';
import type { CertificateSpec, KeyPairPEM } from './certificate-spec.ts';

const extendedKeyUsage = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/**
 * The reason why a certificate on disk can no longer be used: less than a tenth of its life is left, another CA signed it, it does not
 * match its key, or its contents differ from the specification. Undefined if it can be used.
 */
export function reasonToRenew(pair: KeyPairPEM, spec: CertificateSpec, authorityPEM: string, nowMs: number): string | undefined {
  let certificate: X509Certificate;
  let authority: X509Certificate;
  try {
    certificate = new X509Certificate(pair.certificatePEM);
    authority = new X509Certificate(authorityPEM);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.keyPEM))) return 'the key is not that of the certificate';
  } catch (error) {
    return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return 'it was signed by another authority';
  return reasonOfTime(certificate, nowMs) ?? reasonOfContent(certificate, spec);
}

/** Why an authority on disk cannot be used, and whether that may be the fault of the clock; undefined if it can. */
export function authorityProblem(pair: KeyPairPEM, nowMs: number): { readonly text: string; readonly isOfTime: boolean } | undefined {
  const problem = (text: string, isOfTime = false) => ({ text, isOfTime });
  try {
    const certificate = new X509Certificate(pair.certificatePEM);
    if (!certificate.ca) return problem('it is not a CA certificate');
    if (!certificate.checkPrivateKey(createPrivateKey(pair.keyPEM))) return problem('the key is not that of the certificate');
    const [fromMs, toMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
    const now = `the clock of this machine says ${formatTime(nowMs)}`;
    if (toMs < nowMs) return problem(`it was valid until ${formatTime(toMs)}, and ${now}`, true);
    return fromMs > nowMs ? problem(`it is valid from ${formatTime(fromMs)} on, and ${now}`, true) : undefined;
  } catch (error) {
    return problem(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function reasonOfTime({ validFromDate, validToDate }: X509Certificate, nowMs: number): string | undefined {
  const [fromMs, toMs] = [validFromDate.getTime(), validToDate.getTime()];
  if (fromMs > nowMs) return 'it is not valid yet';
  // The certificate's own life, which ends no later than its authority's: a shortened certificate is not renewed again and again.
  return toMs - nowMs < (toMs - fromMs) / 10 ? 'it expires soon' : undefined;
}

function reasonOfContent(certificate: X509Certificate, spec: CertificateSpec): string | undefined {
  const subject = new Set(certificate.subject.split('\n'));
  if (!subject.has(`CN=${spec.commonName}`)) return `its subject is not ${spec.commonName}`;
  const organizations = [...subject].filter((part) => part.startsWith('O=')).map((part) => part.slice(2));
  const wanted = spec.organizations ?? [];
  if (organizations.length !== wanted.length || wanted.some((one) => !organizations.includes(one))) return 'its groups differ';
  for (const name of spec.dnsNames ?? []) if (!certificate.checkHost(name)) return `it does not name ${name}`;
  for (const address of spec.addresses ?? [])
    if (isIP(address) !== 0 && !certificate.checkIP(address)) return `it does not name ${address}`;
  const usages: readonly string[] = certificate.keyUsage ?? [];
  return spec.usages.some((usage) => !usages.includes(extendedKeyUsage[usage])) ? 'its usages differ' : undefined;
}
