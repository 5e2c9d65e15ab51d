import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createWatchedValue, type WatchedValue } from '../../../api/base/watched-value.ts';
import { type ClusterAccess, readKubeconfig } from '../../linux/files/read-kubeconfig.ts';
import { followChanges, type FollowDependencies } from './follow-changes.ts';
import { createReplaceableTransport, type ReplaceableTransport } from './replaceable-transport.ts';

/** PEM. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** The certificates of a node and the authorities that it trusts, which change while it runs. */
export interface NodeCredentials {
  /** The authorities of the API server and of the kubelet API's clients, in PEM. The first one signs. */
  readonly authorities: WatchedValue<string>;
  /** PEM of the certificate with which the node asks the API server; undefined: it has none. */
  readonly client: WatchedValue<string | undefined>;
  /** The serving certificate of the kubelet's API; absent: the cluster is asked for one, or the kubelet signs its own. */
  readonly serving?: WatchedValue<ServingCertificate>;
  /** Keeps all of it up to date until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** Absolute paths. */
interface CredentialFiles {
  readonly kubeconfig: string;
  readonly clientCA?: string;
  readonly serving?: { readonly certificate: string; readonly key: string };
}

/** Credentials in files that another program keeps. Changes take effect without a restart. */
export async function createFileCredentials(
  paths: CredentialFiles,
  dependencies: FollowDependencies,
): Promise<{ readonly credentials: NodeCredentials; readonly connection: ReplaceableTransport }> {
  const { clock, logger } = dependencies;
  const read = () => readCredentials(paths, dependencies);
  let inUse = await read();
  const connection = createReplaceableTransport(settingsOf(inUse.access), { clock });
  const authorities = createWatchedValue(inUse.authorities);
  const client = createWatchedValue(inUse.access.certificate);
  const serving = inUse.serving && createWatchedValue(inUse.serving);
  const look = async () => {
    const [old, now] = [inUse, await read()];
    if (isSame(old, now)) return;
    logger.info('the certificates of this node have changed: they are used from now on');
    inUse = now;
    if (!isSame(old.access, now.access)) connection.use(settingsOf(now.access));
    if (old.authorities !== now.authorities) authorities.set(now.authorities);
    if (now.serving && !isSame(old.serving, now.serving)) serving?.set(now.serving);
    client.set(now.access.certificate);
  };
  const folders = [paths.kubeconfig, paths.clientCA, paths.serving?.certificate].flatMap((file) =>
    file === undefined ? [] : [dirname(file)],
  );
  const run = (signal: AbortSignal) => followChanges(folders, look, dependencies, signal);
  return { credentials: { authorities, client, ...(serving ? { serving } : {}), run }, connection };
}

interface Credentials {
  readonly access: ClusterAccess;
  readonly authorities: string;
  readonly serving?: ServingCertificate;
}

/** Throws if a certificate does not belong to its key: one of them may not have been replaced yet. */
async function readCredentials({ kubeconfig, clientCA, serving }: CredentialFiles, { files }: FollowDependencies): Promise<Credentials> {
  const getText = async (file: string) => {
    const text = await files.findText(file);
    if (text === undefined) throw new Error(`there is no ${file}`);
    return text;
  };
  const access = await readKubeconfig(kubeconfig);
  if (access.certificate !== undefined && access.key !== undefined)
    requireFit({ certificate: access.certificate, key: access.key }, kubeconfig);
  const authorities = clientCA === undefined ? (access.ca ?? '') : await getText(clientCA);
  if (serving === undefined) return { access, authorities };
  const pair = { certificate: await getText(serving.certificate), key: await getText(serving.key) };
  requireFit(pair, serving.certificate);
  return { access, authorities, serving: pair };
}

function requireFit({ certificate, key }: ServingCertificate, file: string): void {
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${file}: the key is not that of the certificate`);
}

function settingsOf({ token, ...access }: ClusterAccess) {
  return { ...access, token: () => token };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function dirname(file: string): string {
  return file.slice(0, file.lastIndexOf('/')) || '/';
}
