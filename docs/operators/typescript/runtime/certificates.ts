import 'reflect-metadata';
import { type CoreV1Api, type V1Secret } from '@kubernetes/client-node';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { codeOf, ifFound } from './api-error.ts';
import { log } from './log.ts';

/** The certificate of the webhook server, its key, and the authority that signed it: what a caBundle holds. */
export interface ServingCertificate {
  readonly authorityPEM: string;
  readonly certificatePEM: string;
  readonly keyPEM: string;
}

interface CertificateStore {
  readonly core: CoreV1Api;
  readonly namespace: string;
  readonly name: string;
  /** The DNS names and IP addresses at which the webhooks are called. */
  readonly hosts: readonly string[];
}

interface KeyPair {
  readonly certificatePEM: string;
  readonly keyPEM: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;
const authorityDays = 3650;
const certificateDays = 90;
x509.cryptoProvider.set(webcrypto as unknown as Crypto);

/**
 * Reads the certificate that all replicas share from a Secret; makes it where there is none yet, where it lacks a host or
 * where a third of its time is left. The authority stays the same for ten years, so that a new certificate needs no new caBundle.
 */
export async function ensureCertificate(store: CertificateStore): Promise<ServingCertificate> {
  const { core, namespace, name, hosts } = store;
  const secret = await ifFound(core.readNamespacedSecret({ namespace, name }));
  const found = secret && read(secret);
  if (found && isGood(found.serving, hosts)) return toServing(found.authority, found.serving);
  const authority = found && isGood(found.authority, []) ? found.authority : await makeAuthority();
  const serving = await makeCertificate(authority, hosts);
  const metadata = { namespace, name, ...(secret?.metadata?.resourceVersion && { resourceVersion: secret.metadata.resourceVersion }) };
  const stringData = {
    'ca.crt': authority.certificatePEM,
    'ca.key': authority.keyPEM,
    'tls.crt': serving.certificatePEM,
    'tls.key': serving.keyPEM,
  };
  try {
    if (secret) await core.replaceNamespacedSecret({ namespace, name, body: { metadata, stringData } });
    else await core.createNamespacedSecret({ namespace, body: { metadata, stringData } });
  } catch (error) {
    // Another replica was faster: its certificate is taken.
    if (codeOf(error) === 409) return ensureCertificate(store);
    throw error;
  }
  log('made a certificate', { hosts, secret: `${namespace}/${name}` });
  return toServing(authority, serving);
}

const toServing = (authority: KeyPair, { certificatePEM, keyPEM }: KeyPair): ServingCertificate => ({
  authorityPEM: authority.certificatePEM,
  certificatePEM,
  keyPEM,
});

function read({ data = {} }: V1Secret): { readonly authority: KeyPair; readonly serving: KeyPair } {
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  return {
    authority: { certificatePEM: text('ca.crt'), keyPEM: text('ca.key') },
    serving: { certificatePEM: text('tls.crt'), keyPEM: text('tls.key') },
  };
}

/** Whether a certificate can be read, belongs to its key, has all hosts and more than a third of its time left. */
function isGood({ certificatePEM, keyPEM }: KeyPair, hosts: readonly string[], nowMs = Date.now()): boolean {
  try {
    const certificate = new X509Certificate(certificatePEM);
    const [fromMs, toMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
    return (
      certificate.checkPrivateKey(createPrivateKey(keyPEM)) &&
      nowMs < toMs - (toMs - fromMs) / 3 &&
      hosts.every((host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined)
    );
  } catch {
    return false;
  }
}

async function makeAuthority(): Promise<KeyPair> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(16).toString('hex'),
    name: [{ CN: ['website-operator-ca'] }],
    notBefore: new Date(Date.now() - 300_000),
    notAfter: new Date(Date.now() + authorityDays * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePEM: certificate.toString('pem'), keyPEM: await exportKey(keys.privateKey) };
}

async function makeCertificate(authority: KeyPair, hosts: readonly string[]): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificatePEM);
  const issuerKey = createPrivateKey(authority.keyPEM).export({ type: 'pkcs8', format: 'der' });
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: [{ CN: ['website-operator'] }],
    issuer: issuer.subjectName,
    notBefore: new Date(Date.now() - 300_000),
    notAfter: new Date(Math.min(Date.now() + certificateDays * dayMs, issuer.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: (await webcrypto.subtle.importKey('pkcs8', issuerKey, algorithm, false, ['sign'])) as CryptoKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host })),
      ),
    ],
  });
  return { certificatePEM: certificate.toString('pem'), keyPEM: await exportKey(keys.privateKey) };
}

async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }).toString();
}
