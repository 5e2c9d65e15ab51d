import { webcrypto } from 'node:crypto';
import type { Clock } from '../../../api/base/clock.ts';
import { toDate } from '../../../api/meta/time.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const yearMs = 365 * 24 * 3600 * 1000;

/** A self-signed serving certificate in PEM, which a kubelet uses if it was given none. */
export async function makeSelfSignedCertificate(
  nodeName: string,
  nodeIPs: readonly string[],
  clock: Clock,
): Promise<{ certificate: string; key: string }> {
  // Loaded only here: a node that is given a certificate does without.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = clock.nowMs();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [`${nodeName}@${Math.floor(now / 1000)}`] }],
    notBefore: toDate(now - 3600 * 1000),
    notAfter: toDate(now + yearMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: nodeName },
        ...nodeIPs.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { certificate: certificate.toString('pem'), key };
}
