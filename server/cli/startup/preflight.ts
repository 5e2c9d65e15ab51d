import { get } from 'node:https';
import path from 'node:path';
import { stripVTControlCharacters, styleText } from 'node:util';
import { Option } from 'commander';
import { systemClock } from '../../../api/base/system-clock.ts';
import { clusterDNSPort } from '../../../api/semantics/services/cluster-dns.ts';
import type { PodNetworkMode } from '../../../api/semantics/nodes/node-configuration.ts';
import { pluginDirectories } from '../../../node-agent/network/cni/plugin-directory.ts';
import type { Finding, NodePlan, PlannedPort } from '../../../node-agent/preflight/check.ts';
import { areLasting, UnfitMachineError } from './unfit-machine.ts';

/** The flags of `up`, `agent` and `check-machine` that determine the machine's role. */
export interface PreflightFlags {
  readonly dataDir: string;
  readonly nodeName: string;
  readonly podNetwork: PodNetworkMode;
  readonly clusterCidr: string;
  readonly serviceCidr?: readonly string[];
  readonly kubeletPort: number;
  /** The port of the API server, if the machine runs one. */
  readonly port?: number;
  /** API server of the cluster to join. */
  readonly server?: string;
  readonly containerRuntimeEndpoint?: string;
  readonly kubeletArg?: readonly string[];
  readonly ignorePreflightErrors: readonly string[];
}

/**
 * The machine's role: control plane and node; a node alone; or a control plane with several nodes in namespaces, with ports of their own.
 */
export type MachineRole = 'up' | 'agent' | 'local-nodes';

export function planOf(flags: PreflightFlags, role: MachineRole): NodePlan {
  const kubeletArguments = new Map((flags.kubeletArg ?? []).map((text) => [text.split('=')[0] ?? text, text.slice(text.indexOf('=') + 1)]));
  const resolvConf = kubeletArguments.get('resolv-conf');
  const cniFolder = kubeletArguments.get('cni-bin-dir');
  // Nodes in namespaces have their own /opt/cni.
  const isReachable = (folder: string) => role !== 'local-nodes' || !folder.startsWith('/opt/cni/');
  return {
    nodeName: flags.nodeName,
    nodeDirectory: path.resolve(flags.dataDir, 'node'),
    hasDefaultEviction: !kubeletArguments.has('eviction-hard'),
    podNetwork: flags.podNetwork,
    clusterCIDRs: flags.clusterCidr.split(','),
    serviceCIDRs: flags.serviceCidr ?? ['10.96.0.0/12'],
    areRangesCertain: role !== 'agent',
    ports: portsOf(flags, role),
    hasControlPlane: role !== 'agent',
    isJoining: role === 'agent',
    cniPluginDirectories: cniFolder === undefined ? pluginDirectories.filter(isReachable) : [cniFolder],
    bridge: role === 'local-nodes' ? 'kubets-*' : (kubeletArguments.get('bridge') ?? 'cni0'),
    failSwapOn: kubeletArguments.get('fail-swap-on') === 'true',
    ...(resolvConf === undefined ? {} : { resolvConf }),
    ...(flags.containerRuntimeEndpoint === undefined ? {} : { runtimeEndpoint: flags.containerRuntimeEndpoint }),
  };
}

function portsOf({ port = 0, kubeletPort }: PreflightFlags, role: MachineRole): PlannedPort[] {
  const controlPlane: PlannedPort[] =
    role === 'agent' ? [] : [{ port, protocol: 'tcp', on: 'all', purpose: 'the API server', flag: '--port' }];
  const node: PlannedPort[] = [
    { port: kubeletPort, protocol: 'tcp', on: 'all', purpose: 'the kubelet', flag: '--kubelet-port' },
    { port: clusterDNSPort, protocol: 'tcp', on: 'node', purpose: 'cluster DNS' },
    { port: clusterDNSPort, protocol: 'udp', on: 'node', purpose: 'cluster DNS' },
    { port: 10_256, protocol: 'tcp', on: 'all', purpose: "the Service proxy's health", isOptional: true },
    { port: 10_249, protocol: 'tcp', on: 'loopback', purpose: "the Service proxy's metrics", isOptional: true },
  ];
  return [...controlPlane, ...(role === 'local-nodes' ? [] : node)].filter((one) => one.port > 0);
}

/** Runs all checks, and asks the API server for its time meanwhile. */
export async function preflight(
  flags: PreflightFlags,
  role: MachineRole,
  { isThorough }: { readonly isThorough: boolean },
): Promise<Finding[]> {
  const serverAhead = flags.server === undefined ? undefined : findServerAheadMs(flags.server);
  const { runPreflight } = await import('../../../node-agent/preflight/preflight.ts');
  return ignoreErrors(
    await runPreflight(planOf(flags, role), { clock: systemClock, serverAhead, isThorough }),
    flags.ignorePreflightErrors,
  );
}

/** Prints warnings and errors before anything is started, and throws if there are errors. */
export async function requireSoundMachine(
  flags: PreflightFlags,
  role: MachineRole,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<void> {
  const worth = (await preflight(flags, role, { isThorough: false })).filter(({ level }) => level === 'warning' || level === 'error');
  stream.write(formatFindings(worth, stream));
  const fatal = worth.filter(({ level }) => level === 'error').map(({ name }) => name);
  if (fatal.length === 0) return;
  const text = `this machine cannot be a node as it is. A check is made non-fatal with --ignore-preflight-errors=${[...new Set(fatal)].join()}`;
  throw areLasting(fatal) ? new UnfitMachineError(text) : new Error(text);
}

const serverPatienceMs = 2000;

/**
 * The difference to the API server's clock by the Date header of any answer, in seconds; undefined if it does not answer, which joining
 * then reports.
 */
export async function findServerAheadMs(server: string): Promise<number | undefined> {
  return await new Promise((resolve) => {
    if (!URL.canParse(server) || !server.startsWith('https://')) return resolve(undefined);
    // The server's certificate is not verified: the time is not secret, and nothing is sent.
    const request = get(new URL('/livez', server), { rejectUnauthorized: false, agent: false, timeout: serverPatienceMs }, (response) => {
      const serverMs = Date.parse(response.headers.date ?? '');
      resolve(Number.isNaN(serverMs) ? undefined : serverMs + 500 - systemClock.nowMs());
      // However long the answer is.
      request.destroy();
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

/** Turns errors of the named checks, or of `all`, into warnings, as kubeadm's flag does. Throws where both are named. */
export function ignoreErrors(findings: readonly Finding[], ignored: readonly string[]): Finding[] {
  const names = new Set(ignored.map((name) => name.toLowerCase()));
  if (names.has('all') && names.size > 1)
    throw new Error(`--ignore-preflight-errors: don't specify individual checks if 'all' is used: ${ignored.join()}`);
  return findings.map((finding) => {
    const isIgnored = names.has('all') || names.has(finding.name.toLowerCase());
    return finding.level === 'error' && isIgnored ? { ...finding, level: 'warning' } : finding;
  });
}

const marks = { ok: '✓', advice: '·', warning: '!', error: '✗' } as const;
const colours = { ok: 'green', advice: 'dim', warning: 'yellow', error: 'red' } as const;

/** One line for each finding, with its remedy below; wrapped to the width of the stream. */
export function formatFindings(findings: readonly Finding[], stream: NodeJS.WriteStream): string {
  const width = Math.max(0, ...findings.map(({ name }) => name.length));
  const paint = (level: Finding['level'], text: string) => styleText(colours[level], text, { stream });
  return findings
    .map(({ level, name, message, remedy }) => {
      const indent = ' '.repeat(width + 4);
      const first = `${paint(level, marks[level])} ${name.padEnd(width)}  ${oneLine(message)}`;
      return [
        first,
        ...(remedy ?? '')
          .split('\n')
          .filter(Boolean)
          .map((line) => `${indent}${styleText('dim', '→', { stream })} ${line}`),
      ].join('\n');
    })
    .map((text) => `${text}\n`)
    .join('');
}

/** Names and messages of other programs are in it: none of their control characters reaches the terminal. */
function oneLine(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}+/gu, ' ');
}

/** The option of kubeadm's name. */
export function ignorePreflightErrorsOption(): Option {
  return new Option('--ignore-preflight-errors <names>', 'checks whose errors are warnings, separated by commas, or all')
    .default([], 'none')
    .argParser((text: string, before: readonly string[]) => [...before, ...text.split(',').filter((name) => name !== '')]);
}
