import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { PodNetworkMode } from '../../../api/semantics/nodes/node-configuration.ts';
import { allAddresses } from '../../control-plane/addresses.ts';
import { createLogger, writesToJournal } from '../../control-plane/logger.ts';
import { findPluginDirectory } from '../../../node-agent/network/cni/plugin-directory.ts';
import { createPKIFiles } from '../../control-plane/pki-files.ts';
import { kubernetesVersion } from '../../control-plane/version.ts';
import { nodeClientCertificate, nodeServingCertificate } from '../../pki/certificate-spec.ts';
import { ensureCertificate } from '../../pki/ensure-cluster-pki.ts';
import type { PKIFiles } from '../../pki/pki-files.ts';
import { chainOf, crossOf } from '../../pki/renew-certificates.ts';
import { type DataDir, writeFileAtomically } from '../data-dir/data-dir.ts';
import { findProcessIdentity, isRunning } from '../data-dir/process-identity.ts';
import { formatKubeconfig } from '../data-dir/kubeconfig.ts';

export interface AgentFlags {
  readonly nodeName: string;
  readonly nodeIp?: string;
  readonly podNetwork: PodNetworkMode;
  readonly nodeLabels: string;
  readonly registerWithTaints: string;
  readonly nodeportAddresses: string;
  readonly nonMasqueradeCidrs: string;
  readonly kubeletPort: number;
  readonly containerRuntimeEndpoint?: string;
  /** Further flags of the node agent, `name=value`. */
  readonly kubeletArg: readonly string[];
  readonly logLevel: string;
}

export interface AgentTarget {
  readonly server: string;
  readonly clusterDNS: string;
  readonly clusterCIDR: string;
  /** Addresses that the kubelet's certificate names; absent: all of this machine. */
  readonly addresses?: readonly string[];
}

export const agentMain = path.resolve(import.meta.dirname, '../../../node-agent/main.ts');
export const agentPIDFile = (dataDir: DataDir): string => path.join(dataDir.node, 'agent.pid');
export const agentLogFile = (dataDir: DataDir): string => path.join(dataDir.node, 'agent.log');
/** The place at which a person finds the agent's log. */
export const agentLogPlace = (dataDir: DataDir): string => (writesToJournal() ? "the journal ('journalctl')" : agentLogFile(dataDir));

export function defaultNodeName(): string {
  return os.hostname().toLowerCase();
}

async function ensureNodeCertificates(files: PKIFiles, dataDir: DataDir, flags: AgentFlags, target: AgentTarget) {
  const [ca, keyPEM, crossPEM] = await Promise.all([files.read('ca.crt'), files.read('ca.key'), files.read(`${crossOf('ca')}.crt`)]);
  if (ca === undefined || keyPEM === undefined)
    throw new Error(
      `${dataDir.pki} holds no cluster CA: the agent starts beside a control plane on the same data dir ('kubets server' or 'kubets up')`,
    );
  const making = { files, logger: createLogger(flags.logLevel), clock: systemClock, random: systemRandom };
  const authority = { certificatePEM: ca, keyPEM, ...chainOf(ca, crossPEM) };
  const client = await ensureCertificate(`node-${flags.nodeName}`, nodeClientCertificate(flags.nodeName), authority, making);
  const own = target.addresses ?? allAddresses();
  const addresses = flags.nodeIp === undefined ? own : [...flags.nodeIp.split(','), ...own];
  await ensureCertificate(
    `kubelet-${flags.nodeName}`,
    nodeServingCertificate(flags.nodeName, ['localhost'], [...new Set(addresses)]),
    authority,
    making,
  );
  return { ca, client };
}

/** Makes the node's certificates from the cluster's CA in this data dir, and its kubeconfig. Returns the agent's arguments. */
export async function prepareAgent(dataDir: DataDir, flags: AgentFlags, target: AgentTarget): Promise<string[]> {
  mkdirSync(dataDir.node, { recursive: true });
  const { ca, client } = await createPKIFiles(dataDir.pki).exclusively((files) => ensureNodeCertificates(files, dataDir, flags, target));
  const kubeconfig = path.join(dataDir.node, 'kubelet.kubeconfig');
  writeFileAtomically(
    kubeconfig,
    formatKubeconfig(
      { server: target.server, ca, certificate: client.certificatePEM, key: client.keyPEM },
      `system:node:${flags.nodeName}`,
    ),
    0o600,
  );
  return [
    agentMain,
    ...['--data-dir', dataDir.path, '--kubeconfig', kubeconfig, '--node-name', flags.nodeName],
    ...['--pod-network', flags.podNetwork, '--cluster-cidr', target.clusterCIDR],
    ...['--node-labels', flags.nodeLabels, '--register-with-taints', flags.registerWithTaints],
    ...['--nodeport-addresses', flags.nodeportAddresses, '--non-masquerade-cidrs', flags.nonMasqueradeCidrs],
    ...['--cluster-dns', target.clusterDNS, '--port', String(flags.kubeletPort), '--log-level', flags.logLevel],
    ...[
      '--tls-cert-file',
      path.join(dataDir.pki, `kubelet-${flags.nodeName}.crt`),
      '--tls-private-key-file',
      path.join(dataDir.pki, `kubelet-${flags.nodeName}.key`),
    ],
    ...['--client-ca-file', path.join(dataDir.pki, 'ca.crt'), '--kubernetes-version', kubernetesVersion.gitVersion],
    ...(flags.nodeIp === undefined ? [] : ['--node-ip', flags.nodeIp]),
    ...(flags.containerRuntimeEndpoint === undefined ? [] : ['--container-runtime-endpoint', flags.containerRuntimeEndpoint]),
    ...flags.kubeletArg.map((argument) => `--${argument}`),
  ];
}

/** The time within which the threads of a killed process have ended. */
const zombieMs = 2000;

/** Ends the agent that an earlier, killed `kubets up` has left. Its containers keep running and are adopted by the next agent. */
export async function replaceRunningAgent(dataDir: DataDir): Promise<void> {
  const pid = existsSync(agentPIDFile(dataDir)) ? Number(readFileSync(agentPIDFile(dataDir), 'utf8')) : 0;
  if (pid > 0 && isRunning(pid) && isAgentOf(dataDir, pid)) {
    signalAgent(pid, 'SIGKILL');
    const killedMs = systemClock.monotonicMs();
    // A process whose parent does not wait for it stays as a zombie; a process whose threads are about to end may still hold the port.
    while (isRunning(pid) && (findProcessIdentity(pid) !== undefined || systemClock.monotonicMs() - killedMs < zombieMs)) await delay(10);
  }
  rmSync(agentPIDFile(dataDir), { force: true });
}

/** An agent in namespaces is the child of the process that entered them. */
export function signalAgent(pid: number, signal: NodeJS.Signals): void {
  const [within] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const isEntered = readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('nsenter');
  process.kill(isEntered && within !== undefined ? within : pid, signal);
}

/** Whether the process is the agent of this data directory: another process may have got the recorded pid. */
export function isAgentOf({ path: dataDirectory }: DataDir, pid: number): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.some((word) => word.endsWith('node-agent/main.ts')) && words[words.indexOf('--data-dir') + 1] === dataDirectory;
  } catch {
    return false; // it has ended
  }
}

/** Removes the containers, networks and mounts of the node of this data dir; its agent must not be running. */
export async function clearNode(
  dataDir: DataDir,
  options: { readonly keepImages: boolean; readonly graceSeconds?: number },
): Promise<void> {
  const layout = {
    dataDirectory: dataDir.path,
    clusterCIDR: '10.244.0.0/16',
    bridge: 'cni0',
    cniPluginDirectory: await findPluginDirectory(),
    cgroupRoot: '/kubepods',
  };
  const { cleanAgent } = await import('../../../node-agent/agent.ts');
  await cleanAgent(layout, { clock: systemClock, logger: createLogger('warn') }, options);
}
