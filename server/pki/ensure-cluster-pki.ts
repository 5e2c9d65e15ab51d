import { createPublicKey } from 'node:crypto';
import type { Logger } from '../../api/base/logger.ts';
import { formatTime } from '../../api/meta/time.ts';
import {
  type AuthorityPEM,
  type CertificateSpec,
  clientCertificate,
  kubeletClientName,
  type KeyPairPEM,
  serverCertificate,
} from './certificate-spec.ts';
import { type AuthorityName, chainOf, crossOf } from './renew-certificates.ts';
import { authorityProblem, reasonToRenew } from './inspect-certificate.ts';
import { pairChanges, type PKIFiles, stageChanges } from './pki-files.ts';
import { makeAuthority, makeCertificate, makeSigningKey, type MakingDependencies } from './make-certificate.ts';

export interface ClusterPKIOptions extends MakingDependencies {
  readonly files: PKIFiles;
  readonly logger: Logger;
  /** e.g. cluster.local */
  readonly clusterDomain: string;
  /** Addresses of the Service default/kubernetes: the first of each service range. */
  readonly serviceAddresses: readonly string[];
  readonly hostNames: readonly string[];
  readonly addresses: readonly string[];
  /**
   * Whether the storage holds objects of a cluster already, so that its keys must not be replaced. Asked before a key is made; absent: it
   * holds none.
   */
  holdsCluster?(): Promise<boolean>;
}

/** All keys and certificates of the control plane, laid out in files as kubeadm does. */
export interface ClusterPKI {
  /** The cluster's authority. During a rotation it has several certificates: the first one signs, all are trusted. */
  readonly clusterCA: AuthorityPEM;
  readonly frontProxyCA: AuthorityPEM;
  /** Certificates of the cluster's newer authorities by older ones; '' if there are none. */
  readonly vouchersPEM: string;
  readonly server: KeyPairPEM;
  /** With which the API server calls kubelets. */
  readonly kubeletClient: KeyPairPEM;
  readonly frontProxyClient: KeyPairPEM;
  readonly admin: KeyPairPEM;
  readonly controllerManager: KeyPairPEM;
  readonly scheduler: KeyPairPEM;
  readonly serviceAccountKey: { readonly privateKeyPEM: string; readonly publicKeyPEM: string };
}

/** A key or an authority is there and cannot be used. It is never replaced: every node, kubeconfig and token hangs on it. */
export class PKIError extends Error {
  constructor(file: string, problem: string, remedy: string) {
    super(`${file}: ${problem}. Nothing was changed. ${remedy}`);
    this.name = 'PKIError';
  }
}

/**
 * Reads the cluster's keys and certificates, makes missing ones and renews unusable certificates. Throws PKIError for authorities and
 * signing keys that exist and cannot be used.
 */
export async function ensureClusterPKI(options: ClusterPKIOptions): Promise<ClusterPKI> {
  const staged = stageChanges(options.files);
  const pki = await planClusterPKI({ ...options, files: staged.files });
  // All at once: a start that is cut short leaves everything or nothing.
  await options.files.commit(staged.changes);
  return pki;
}

async function planClusterPKI(options: ClusterPKIOptions): Promise<ClusterPKI> {
  const [clusterCA, frontProxyCA, serviceAccountKey] = await Promise.all([
    ensureAuthority('ca', 'kubernetes', options),
    ensureAuthority('front-proxy-ca', 'front-proxy-ca', options),
    ensureSigningKey(options),
  ]);
  const ofCluster = (name: string, spec: CertificateSpec) => ensureCertificate(name, spec, clusterCA, options);
  const [server, kubeletClient, frontProxyClient, admin, controllerManager, scheduler] = await Promise.all([
    ofCluster('apiserver', serverCertificate(options)),
    ofCluster('apiserver-kubelet-client', clientCertificate(kubeletClientName)),
    ensureCertificate('front-proxy-client', clientCertificate('front-proxy-client'), frontProxyCA, options),
    ofCluster('admin', clientCertificate('kubernetes-admin', ['system:masters'])),
    ofCluster('controller-manager', clientCertificate('system:kube-controller-manager')),
    ofCluster('scheduler', clientCertificate('system:kube-scheduler')),
  ]);
  const vouchersPEM = (await options.files.read(`${crossOf('ca')}.crt`)) ?? '';
  return {
    vouchersPEM,
    clusterCA,
    frontProxyCA,
    server,
    kubeletClient,
    frontProxyClient,
    admin,
    controllerManager,
    scheduler,
    serviceAccountKey,
  };
}

/** The certificate by the cluster's CA in `<name>.crt` and `<name>.key`: the one on disk if it is still usable. */
export async function ensureCertificate(
  name: string,
  spec: CertificateSpec,
  authority: AuthorityPEM,
  options: Pick<ClusterPKIOptions, 'files' | 'logger' | 'clock' | 'random'>,
): Promise<KeyPairPEM> {
  const existing = await readPair(name, options.files);
  if (existing) {
    const reason = reasonToRenew(existing, spec, authority.certificatePEM, options.clock.nowMs());
    if (reason === undefined) return existing;
    options.logger.info('renewing a certificate', { name, reason });
  }
  const made = await makeCertificate(spec, authority, options);
  await options.files.commit(pairChanges(name, made));
  return made;
}

async function ensureAuthority(name: AuthorityName, commonName: string, options: ClusterPKIOptions): Promise<AuthorityPEM> {
  const { files, clock } = options;
  const [certificatePEM, keyPEM] = await Promise.all([files.read(`${name}.crt`), files.read(`${name}.key`)]);
  // A first start that was cut short leaves a key that nothing hangs on yet: certificates are made after authorities.
  const wasCutShort = certificatePEM === undefined && (await files.read('apiserver.crt')) === undefined;
  if (!wasCutShort && (certificatePEM !== undefined || keyPEM !== undefined)) {
    for (const [file, text] of [
      [`${name}.crt`, certificatePEM],
      [`${name}.key`, keyPEM],
    ] as const)
      if (text === undefined)
        throw new PKIError(files.pathOf(file), 'it is missing, and the other file of the authority is there', restore);
    const pair = { certificatePEM: certificatePEM ?? '', keyPEM: keyPEM ?? '' };
    const problem = authorityProblem(pair, clock.nowMs());
    if (problem === undefined) return { ...pair, ...chainOf(pair.certificatePEM, await files.read(`${crossOf(name)}.crt`)) };
    throw new PKIError(files.pathOf(`${name}.crt`), problem.text, problem.isOfTime ? setTheClock(name) : restore);
  }
  if (clock.nowMs() < earliestMs) {
    const problem = `a new authority is to be made, but the clock of this machine says ${formatTime(clock.nowMs())}`;
    throw new PKIError(files.pathOf(`${name}.crt`), problem, 'Set the clock and start again.');
  }
  await refuseForOldCluster(`${name}.crt`, options);
  const made = await makeAuthority(commonName, options);
  await options.files.commit(pairChanges(name, made));
  return made;
}

async function ensureSigningKey(options: ClusterPKIOptions): Promise<ClusterPKI['serviceAccountKey']> {
  const { files } = options;
  const [privateKeyPEM, publicKeyPEM] = await Promise.all([files.read('sa.key'), files.read('sa.pub')]);
  if (privateKeyPEM !== undefined) {
    const derived = publicKeyOf(privateKeyPEM, files.pathOf('sa.key'));
    if (publicKeyPEM === undefined) await files.commit([{ path: 'sa.pub', text: derived, secret: false }]);
    return { privateKeyPEM, publicKeyPEM: publicKeyPEM ?? derived };
  }
  if (publicKeyPEM !== undefined) throw new PKIError(files.pathOf('sa.key'), 'it is missing, and sa.pub is there', restore);
  await refuseForOldCluster('sa.key', options);
  const made = await makeSigningKey();
  await files.commit([
    { path: 'sa.key', text: made.privateKeyPEM, secret: true },
    { path: 'sa.pub', text: made.publicKeyPEM, secret: false },
  ]);
  return made;
}

async function refuseForOldCluster(file: string, { files, holdsCluster }: ClusterPKIOptions): Promise<void> {
  if (!(await holdsCluster?.())) return;
  const remedy = 'Restore the folder from a backup; with other keys every node, kubeconfig and token of the cluster would be void.';
  throw new PKIError(files.pathOf(file), 'it is missing, and the store beside it holds a cluster', remedy);
}

function publicKeyOf(privateKeyPEM: string, file: string): string {
  try {
    return createPublicKey(privateKeyPEM).export({ type: 'spki', format: 'pem' }).toString();
  } catch (error) {
    throw new PKIError(file, `it cannot be read: ${error instanceof Error ? error.message : String(error)}`, restore);
  }
}

/** The release date of this code: a clock that shows an earlier time is wrong. */
const earliestMs = 1_767_225_600_000; // 2026-01-01

const restore =
  'Restore it from a backup; to give it up, move both files of the pair away: new ones are made, and every node, kubeconfig and token of the old ones is void.';

function setTheClock(name: string): string {
  return `If the clock of this machine is wrong, set it and start again. If not, move ${name}.crt and ${name}.key away: a new authority is made, and all nodes have to join again.`;
}

async function readPair(name: string, files: PKIFiles): Promise<KeyPairPEM | undefined> {
  const [certificatePEM, keyPEM] = await Promise.all([files.read(`${name}.crt`), files.read(`${name}.key`)]);
  return certificatePEM === undefined || keyPEM === undefined ? undefined : { certificatePEM, keyPEM };
}
