import type { Logger } from '../../api/base/logger.ts';
import { type CertificateSpec, clientCertificate, type KeyPairPEM, serverCertificate } from './certificate-spec.ts';
import { reasonToRenew, reasonToReplaceAuthority } from './inspect-certificate.ts';
import { makeAuthority, makeCertificate, makeSigningKey, type MakingDependencies } from './make-certificate.ts';

/** Where keys and certificates are kept. Paths are relative, e.g. `ca.crt`. */
export interface PKIFiles {
  read(path: string): Promise<string | undefined>;
  /** Atomic; `secret` files are readable by their owner only. */
  write(path: string, text: string, options: { readonly secret: boolean }): Promise<void>;
}

export interface ClusterPKIOptions extends MakingDependencies {
  readonly files: PKIFiles;
  readonly logger: Logger;
  /** e.g. cluster.local */
  readonly clusterDomain: string;
  /** Addresses of the Service default/kubernetes: the first of each service range. */
  readonly serviceAddresses: readonly string[];
  readonly hostNames: readonly string[];
  readonly addresses: readonly string[];
}

/** All keys and certificates of the control plane, laid out in files as kubeadm does. */
export interface ClusterPKI {
  readonly clusterCA: KeyPairPEM;
  readonly frontProxyCA: KeyPairPEM;
  readonly server: KeyPairPEM;
  /** With which the API server calls kubelets. */
  readonly kubeletClient: KeyPairPEM;
  readonly frontProxyClient: KeyPairPEM;
  readonly admin: KeyPairPEM;
  readonly controllerManager: KeyPairPEM;
  readonly scheduler: KeyPairPEM;
  readonly serviceAccountKey: { readonly privateKeyPEM: string; readonly publicKeyPEM: string };
}

/** Reads the cluster's keys and certificates, making what is missing and renewing what has become unusable. */
export async function ensureClusterPKI(options: ClusterPKIOptions): Promise<ClusterPKI> {
  const [clusterCA, frontProxyCA, serviceAccountKey] = await Promise.all([
    ensureAuthority('ca', 'kubernetes', options),
    ensureAuthority('front-proxy-ca', 'front-proxy-ca', options),
    ensureSigningKey(options.files),
  ]);
  const ofCluster = (name: string, spec: CertificateSpec) => ensureCertificate(name, spec, clusterCA, options);
  const [server, kubeletClient, frontProxyClient, admin, controllerManager, scheduler] = await Promise.all([
    ofCluster('apiserver', serverCertificate(options)),
    ofCluster('apiserver-kubelet-client', clientCertificate('kube-apiserver-kubelet-client')),
    ensureCertificate('front-proxy-client', clientCertificate('front-proxy-client'), frontProxyCA, options),
    ofCluster('admin', clientCertificate('kubernetes-admin', ['system:masters'])),
    ofCluster('controller-manager', clientCertificate('system:kube-controller-manager')),
    ofCluster('scheduler', clientCertificate('system:kube-scheduler')),
  ]);
  return { clusterCA, frontProxyCA, server, kubeletClient, frontProxyClient, admin, controllerManager, scheduler, serviceAccountKey };
}

/** A certificate by the cluster's CA under `<name>.crt` and `<name>.key`: the one on disk if it still serves. */
export async function ensureCertificate(
  name: string,
  spec: CertificateSpec,
  authority: KeyPairPEM,
  options: Pick<ClusterPKIOptions, 'files' | 'logger' | 'clock' | 'random'>,
): Promise<KeyPairPEM> {
  const existing = await readPair(name, options.files);
  if (existing) {
    const reason = reasonToRenew(existing, spec, authority.certificatePEM, options.clock.nowMs());
    if (reason === undefined) return existing;
    options.logger.info('renewing a certificate', { name, reason });
  }
  const made = await makeCertificate(spec, authority, options);
  await writePair(name, made, options.files);
  return made;
}

async function ensureAuthority(name: string, commonName: string, options: ClusterPKIOptions): Promise<KeyPairPEM> {
  const existing = await readPair(name, options.files);
  if (existing) {
    const reason = reasonToReplaceAuthority(existing, options.clock.nowMs());
    if (reason === undefined) return existing;
    options.logger.warn('replacing a certificate authority', { name, reason });
  }
  const made = await makeAuthority(commonName, options);
  await writePair(name, made, options.files);
  return made;
}

async function ensureSigningKey(files: PKIFiles): Promise<ClusterPKI['serviceAccountKey']> {
  const [privateKeyPEM, publicKeyPEM] = await Promise.all([files.read('sa.key'), files.read('sa.pub')]);
  if (privateKeyPEM !== undefined && publicKeyPEM !== undefined) return { privateKeyPEM, publicKeyPEM };
  const made = await makeSigningKey();
  await files.write('sa.key', made.privateKeyPEM, { secret: true });
  await files.write('sa.pub', made.publicKeyPEM, { secret: false });
  return made;
}

async function readPair(name: string, files: PKIFiles): Promise<KeyPairPEM | undefined> {
  const [certificatePEM, keyPEM] = await Promise.all([files.read(`${name}.crt`), files.read(`${name}.key`)]);
  return certificatePEM === undefined || keyPEM === undefined ? undefined : { certificatePEM, keyPEM };
}

/** The key first: a certificate without its key would look like a pair that is complete. */
async function writePair(name: string, pair: KeyPairPEM, files: PKIFiles): Promise<void> {
  await files.write(`${name}.key`, pair.keyPEM, { secret: true });
  await files.write(`${name}.crt`, pair.certificatePEM, { secret: false });
}
