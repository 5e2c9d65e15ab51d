import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createBackoff } from '../../api/base/backoff.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import type { PodNetworkMode } from '../../api/semantics/node-configuration.ts';
import { allAddresses } from '../composition/addresses.ts';
import { createLogger } from '../composition/logger.ts';
import { createPKIFiles } from '../composition/pki-files.ts';
import { kubernetesVersion } from '../composition/version.ts';
import { nodeClientCertificate, nodeServingCertificate } from '../pki/certificate-spec.ts';
import { ensureCertificate } from '../pki/ensure-cluster-pki.ts';
import { type DataDir, isRunning, writeFileAtomically } from './data-dir.ts';
import { formatKubeconfig } from './kubeconfig.ts';

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

export const agentMain = path.resolve(import.meta.dirname, '../../node-agent/main.ts');
const pidFile = (dataDir: DataDir) => path.join(dataDir.node, 'agent.pid');
export const agentLogFile = (dataDir: DataDir): string => path.join(dataDir.node, 'agent.log');

export function defaultNodeName(): string {
  return os.hostname().toLowerCase();
}

/** Makes the node's certificates from the cluster's CA in this data dir, and its kubeconfig. Returns the agent's arguments. */
export async function prepareAgent(dataDir: DataDir, flags: AgentFlags, target: AgentTarget): Promise<string[]> {
  const files = createPKIFiles(dataDir.pki);
  const [ca, caKey] = await Promise.all([files.read('ca.crt'), files.read('ca.key')]);
  if (ca === undefined || caKey === undefined)
    throw new Error(
      `${dataDir.pki} holds no cluster CA: the agent starts beside a control plane on the same data dir ('kubets server' or 'kubets up')`,
    );
  mkdirSync(dataDir.node, { recursive: true });
  const making = { files, logger: createLogger(flags.logLevel), clock: systemClock, random: systemRandom };
  const authority = { certificatePEM: ca, keyPEM: caKey };
  const client = await ensureCertificate(`node-${flags.nodeName}`, nodeClientCertificate(flags.nodeName), authority, making);
  const own = target.addresses ?? allAddresses();
  const addresses = flags.nodeIp === undefined ? own : [...flags.nodeIp.split(','), ...own];
  await ensureCertificate(
    `kubelet-${flags.nodeName}`,
    nodeServingCertificate(flags.nodeName, ['localhost'], [...new Set(addresses)]),
    authority,
    making,
  );
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

/** Ends an agent that an earlier, killed `kubets up` has left; its containers go on and are adopted by the next one. */
export async function replaceRunningAgent(dataDir: DataDir): Promise<void> {
  const pid = existsSync(pidFile(dataDir)) ? Number(readFileSync(pidFile(dataDir), 'utf8')) : 0;
  if (pid > 0 && isRunning(pid) && isAgent(pid)) {
    signalAgent(pid, 'SIGKILL');
    while (isRunning(pid)) await delay(10);
  }
  rmSync(pidFile(dataDir), { force: true });
}

/** One that runs in namespaces is the child of the process that entered them. */
function signalAgent(pid: number, signal: NodeJS.Signals): void {
  const [within] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const isEntered = readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('nsenter');
  process.kill(isEntered && within !== undefined ? within : pid, signal);
}

function isAgent(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('node-agent/main.ts');
  } catch {
    return false;
  }
}

/** Removes the containers, networks and mounts of the node of this data dir; its agent must not be running. */
export async function clearNode(dataDir: DataDir, { keepImages }: { readonly keepImages: boolean }): Promise<void> {
  const layout = {
    dataDirectory: dataDir.path,
    clusterCIDR: '10.244.0.0/16',
    bridge: 'cni0',
    cniPluginDirectory: '/usr/lib/cni',
    cgroupRoot: '/kubepods',
  };
  const { cleanAgent } = await import('../../node-agent/agent.ts');
  await cleanAgent(layout, { clock: systemClock, logger: createLogger('warn') }, { keepImages });
}

/** A node agent that is started again whenever it dies, until it is stopped. */
export interface SupervisedAgent {
  /** Stops all pods and clears the node away, then resolves. */
  stop(): Promise<void>;
}

const restarts = { initialMs: 500, maxMs: 10_000 };
/** One that has run for so long had got over what ended the one before. */
const soundAfterMs = 10_000;
/** The agent makes little garbage, and what is set aside for it is memory that Pods lack; so is what a burst of work has taken. */
const engineFlags = [
  '--max-semi-space-size=2',
  // In a burst V8 would else let garbage grow to twice what is in use.
  '--heap-growing-percent=30',
  '--import',
  path.join(import.meta.dirname, 'agent-memory.ts'),
];
/** What one thread has freed is otherwise kept for that thread alone: with some ten threads a third of what the agent takes. */
const allocatorSettings = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' };

export interface Supervision {
  /** Arguments in front of the agent's that make it run elsewhere than in this process' namespaces. */
  readonly enter?: readonly string[];
  readonly onRestart: (code: number | string) => void;
  /** Whether there is any sense in starting it again. Default: always. */
  readonly isWorthRestarting?: () => Promise<boolean>;
  /** Clears the node away where the agent did not come to it. Default: in this process' namespaces. */
  readonly clear?: () => Promise<void>;
}

export function superviseAgent(dataDir: DataDir, args: readonly string[], supervision: Supervision): SupervisedAgent {
  const {
    enter = [],
    onRestart,
    isWorthRestarting = async () => true,
    clear = () => clearNode(dataDir, { keepImages: true }),
  } = supervision;
  const [program = process.execPath, ...rest] = [...enter, process.execPath, ...engineFlags, ...args, '--stop-pods'];
  const backoff = createBackoff(restarts, systemRandom);
  let isStopping = false;
  let startedMs = 0;
  let child: ChildProcess;
  let ended: Promise<number | string>;
  const start = () => {
    const log = openSync(agentLogFile(dataDir), 'a');
    // A session of its own, so that Ctrl-C in the terminal does not reach it: it is stopped in order, after the pods.
    child = spawn(program, rest, {
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...allocatorSettings,
        ...process.env,
        NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../node_modules/.cache/compile'),
      },
    });
    writeFileSync(pidFile(dataDir), String(child.pid));
    startedMs = systemClock.monotonicMs();
    ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve(signal ?? code ?? 0);
        if (!isStopping) void restart(signal ?? code ?? 0);
      });
    });
  };
  const restart = async (code: number | string) => {
    if (!(await isWorthRestarting())) return;
    onRestart(code);
    const wasKilled = typeof code === 'string';
    if (wasKilled || systemClock.monotonicMs() - startedMs > soundAfterMs) backoff.reset();
    await delay(backoff.nextMs());
    if (!isStopping) start();
  };
  start();
  return {
    async stop() {
      isStopping = true;
      if (child.pid !== undefined && isRunning(child.pid)) signalAgent(child.pid, 'SIGTERM');
      // One that had only just been started, or had died, did not get to clearing the node away.
      if ((await ended) !== 0) await clear();
      rmSync(pidFile(dataDir), { force: true });
    },
  };
}
