import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { dump } from 'js-yaml';
import { kubernetesVersion } from '../composition/version.ts';
import { type AgentFlags, agentMain } from './agent-process.ts';
import { type DataDir, writeFileAtomically } from './data-dir.ts';
import { discoverCluster } from './discovery.ts';

export interface JoinFlags extends AgentFlags {
  readonly server?: string;
  readonly token?: string;
  readonly caHash: readonly string[];
}

const bootstrapFile = (dataDir: DataDir) => path.join(dataDir.node, 'bootstrap-kubelet.kubeconfig');

/** Whether this machine has joined a cluster before, so that it needs no token. */
export function hasJoined(dataDir: DataDir): boolean {
  return existsSync(bootstrapFile(dataDir));
}

/** Learns the cluster's CA where it is not known yet. Returns the agent's arguments: it asks for its certificates itself. */
export async function prepareJoin(dataDir: DataDir, flags: JoinFlags): Promise<string[]> {
  const { server, token, caHash } = flags;
  if (server !== undefined) {
    if (token === undefined || caHash.length === 0)
      throw new Error(
        "--server goes with --token and --ca-hash; 'kubets token create --print-join-command' on the control plane prints them",
      );
    const cluster = await discoverCluster({ server: server.replace(/\/+$/, ''), token, caHashes: caHash });
    mkdirSync(dataDir.node, { recursive: true });
    writeFileAtomically(bootstrapFile(dataDir), bootstrapKubeconfig(cluster.server, cluster.caPEM, token), 0o600);
  }
  return [
    agentMain,
    ...['--data-dir', dataDir.path, '--bootstrap-kubeconfig', bootstrapFile(dataDir), '--node-name', flags.nodeName],
    ...['--node-configuration', '--port', String(flags.kubeletPort), '--log-level', flags.logLevel],
    ...['--node-labels', flags.nodeLabels, '--register-with-taints', flags.registerWithTaints],
    ...['--kubernetes-version', kubernetesVersion.gitVersion],
    ...(flags.nodeIp === undefined ? [] : ['--node-ip', flags.nodeIp]),
    ...(flags.containerRuntimeEndpoint === undefined ? [] : ['--container-runtime-endpoint', flags.containerRuntimeEndpoint]),
  ];
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
