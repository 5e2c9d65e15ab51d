import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { dump } from 'js-yaml';
import { kubernetesVersion } from '../../control-plane/version.ts';
import { type AgentFlags, agentMain } from '../agent/agent-process.ts';
import { checkNodeName } from './check-node-name.ts';
import { type DataDir, writeFileAtomically } from '../data-dir/data-dir.ts';
import { authorityOf, discoverCluster, publicKeyHashes } from './discovery.ts';

export interface JoinFlags extends AgentFlags {
  readonly server?: string;
  readonly token?: string;
  readonly caHash: readonly string[];
}

const bootstrapFile = (dataDir: DataDir) => path.join(dataDir.node, 'bootstrap-kubelet.kubeconfig');
/** The authorities that the cluster has published to the node since it joined. */
const learnedAuthorities = (dataDir: DataDir) => path.join(dataDir.node, 'pki/cluster-ca.crt');
const clientCertificate = (dataDir: DataDir) => path.join(dataDir.node, 'pki/kubelet-client-current.pem');

/** Whether this machine has joined a cluster before, so that it needs no address. */
export function knowsCluster(dataDir: DataDir): boolean {
  return existsSync(bootstrapFile(dataDir));
}

/** Whether the cluster has given it a certificate, so that it needs no token. */
export function hasJoined(dataDir: DataDir): boolean {
  return existsSync(clientCertificate(dataDir));
}

/** Learns the cluster's CA where it is not known yet. Returns the agent's arguments: it asks for its certificates itself. */
export async function prepareJoin(dataDir: DataDir, flags: JoinFlags): Promise<string[]> {
  if (flags.server !== undefined) await learnCluster(dataDir, { ...flags, server: flags.server.replace(/\/+$/, '') });
  return [
    agentMain,
    ...['--data-dir', dataDir.path, '--bootstrap-kubeconfig', bootstrapFile(dataDir), '--node-name', flags.nodeName],
    ...['--node-configuration', '--port', String(flags.kubeletPort), '--log-level', flags.logLevel],
    ...['--node-labels', flags.nodeLabels, '--register-with-taints', flags.registerWithTaints],
    ...['--nodeport-addresses', flags.nodeportAddresses, '--non-masquerade-cidrs', flags.nonMasqueradeCidrs],
    ...['--kubernetes-version', kubernetesVersion.gitVersion],
    ...(flags.nodeIp === undefined ? [] : ['--node-ip', flags.nodeIp]),
    ...(flags.containerRuntimeEndpoint === undefined ? [] : ['--container-runtime-endpoint', flags.containerRuntimeEndpoint]),
    ...flags.kubeletArg.map((argument) => `--${argument}`),
  ];
}

async function learnCluster(dataDir: DataDir, { server, token, caHash, nodeName }: JoinFlags & { readonly server: string }): Promise<void> {
  if (token === undefined || caHash.length === 0)
    throw new Error(
      "--server goes with --ca-hash and --token (or --token-file, or KUBETS_TOKEN in the environment); 'kubets token create --print-join-command' on the control plane prints them",
    );
  const known = findKnownCA(dataDir, caHash);
  const caPEM = known ?? (await discoverCluster({ server, token, caHashes: caHash })).caPEM;
  if (known === undefined) await checkNodeName(nodeName, { server, caPEM, token });
  mkdirSync(dataDir.node, { recursive: true });
  // Certificates of another cluster are none here.
  if (known === undefined) rmSync(path.dirname(clientCertificate(dataDir)), { recursive: true, force: true });
  writeFileAtomically(bootstrapFile(dataDir), bootstrapKubeconfig(server, caPEM, token), 0o600);
}

/** The CA of the cluster that this machine has joined, if it is the one to join now: the token may then have expired. */
function findKnownCA(dataDir: DataDir, caHashes: readonly string[]): string | undefined {
  if (!hasJoined(dataDir) || !knowsCluster(dataDir)) return undefined;
  const learned = learnedAuthorities(dataDir);
  const caPEM = existsSync(learned) ? readFileSync(learned, 'utf8') : authorityOf(readFileSync(bootstrapFile(dataDir), 'utf8'));
  return publicKeyHashes(caPEM).some((hash) => caHashes.includes(hash)) ? caPEM : undefined;
}

function bootstrapKubeconfig(server: string, caPEM: string, token: string): string {
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kubernetes', cluster: { server, 'certificate-authority-data': Buffer.from(caPEM).toString('base64') } }],
    users: [{ name: 'tls-bootstrap-token-user', user: { token } }],
    contexts: [{ name: 'tls-bootstrap-token-user@kubernetes', context: { cluster: 'kubernetes', user: 'tls-bootstrap-token-user' } }],
    'current-context': 'tls-bootstrap-token-user@kubernetes',
  });
}
