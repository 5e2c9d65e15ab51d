import { X509Certificate } from 'node:crypto';
import type { Random } from '../../../api/base/random.ts';
import type { IssuedCertificate } from './request-certificate.ts';

/** A certificate and its key as one PEM text, as kubelets store them. */
export function formatPair({ certificate, key }: IssuedCertificate): string {
  return `${certificate.trimEnd()}\n${key.trimEnd()}\n`;
}

/** Undefined where there is no such pair, or it is over. */
export function findGoodPair(text: string | undefined, nowMs: number): IssuedCertificate | undefined {
  const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(text ?? '')?.[0];
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/.exec(text ?? '')?.[0];
  if (certificate === undefined || key === undefined) return undefined;
  try {
    const { validToDate } = new X509Certificate(certificate);
    return validToDate.getTime() > nowMs ? { certificate: `${certificate}\n`, key: `${key}\n` } : undefined;
  } catch {
    return undefined; // a broken file is as good as none: another certificate is asked for
  }
}

/**
 * The time at which the next certificate is requested: after 70 to 90 % of the life of this one, so that not all nodes request theirs at
 * once.
 */
export function renewalMs({ certificate }: IssuedCertificate, random: Random): number {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const lifeMs = validToDate.getTime() - validFromDate.getTime();
  return validFromDate.getTime() + lifeMs * (0.7 + 0.2 * random.next());
}

/** Whether it names all of these, so that it need not be replaced. */
export function namesAll({ certificate }: IssuedCertificate, dnsNames: readonly string[], addresses: readonly string[]): boolean {
  const parsed = new X509Certificate(certificate);
  return (
    dnsNames.every((name) => parsed.checkHost(name) !== undefined) && addresses.every((address) => parsed.checkIP(address) !== undefined)
  );
}

/** Whether it makes its holder this node. */
export function isOfNode({ certificate }: IssuedCertificate, nodeName: string): boolean {
  return new X509Certificate(certificate).subject.split('\n').includes(`CN=system:node:${nodeName}`);
}
