import 'reflect-metadata';
import { fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import module from 'node:module';
import { availableParallelism, hostname } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import type { Logger } from '../api/base/logger.ts';
import { systemClock } from '../api/base/system-clock.ts';
import { systemRandom } from '../api/base/system-random.ts';
import { parseTLSSettings, type TLSSettings, tlsVersions } from '../api/base/tls-settings.ts';
import { createClient } from '../api/client/create-client.ts';
import type { Transport } from '../api/client/transport.ts';
import { parseDurationMs } from '../api/meta/duration.ts';
import { type PodNetworkMode, podNetworkModes } from '../api/semantics/nodes/node-configuration.ts';
import { type AgentSettings, cleanAgent, runAgent } from './agent.ts';
import { findPluginDirectory } from './network/cni/plugin-directory.ts';
import { endInTime } from './end-in-time.ts';
import { createFileCredentials, type NodeCredentials } from './kubelet/certificates/node-credentials.ts';
import { createNodeTransport } from './kubelet/certificates/node-transport.ts';
import { askNodeConfiguration } from './kubelet/node/ask-node-configuration.ts';
import { defaultEvictionFlags, type EvictionFlags, parseEvictionFlags, withAllocatableMemory } from './kubelet/eviction/thresholds.ts';
import { parseUnsafeSysctls } from './kubelet/node/refuse-sysctls.ts';
import { parseCredentialProviders } from './kubelet/images/credential-providers.ts';
import {
  type AllocatableFlags,
  defaultAllocatableFlags,
  enforcements,
  parseAllocatableFlags,
} from './kubelet/resources/node-allocatable.ts';
import { swapBehaviors } from './kubelet/resources/swap.ts';
import { defaultShutdownFlags, parseShutdownFlags, periodsOf, type ShutdownFlags } from './kubelet/shutdown/shutdown-periods.ts';
import { parseNodeLabels, parseTaints } from './kubelet/node/registration-flags.ts';
import { type CgroupDriver, cgroupDrivers } from './linux/cgroups/cgroup-names.ts';
import { createHostFiles } from './linux/files/host-files.ts';
import { isJournalStream } from './linux/processes/journal-line.ts';
import { createProcessLog } from './linux/processes/process-logger.ts';
import { oomScores, setOOMScore } from './linux/processes/oom-score.ts';
import { readKubeconfig } from './linux/files/read-kubeconfig.ts';
import { connectSupervisor } from './linux/processes/supervisor.ts';
import type { StopOrder } from './stop-order.ts';

interface Flags extends EvictionFlags, AllocatableFlags, ShutdownFlags {
  readonly dataDir: string;
  readonly kubeletDir?: string;
  readonly kubeconfig?: string;
  readonly bootstrapKubeconfig?: string;
  readonly certDir: string;
  readonly nodeConfiguration: boolean;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly podCidr?: string;
  readonly podManifestPath?: string;
  readonly allowedUnsafeSysctls: string;
  readonly serializeImagePulls: boolean;
  readonly maxParallelImagePulls: string;
  readonly devicePluginDir?: string;
  readonly imageCredentialProviderConfig?: string;
  readonly imageCredentialProviderBinDir: string;
  readonly memorySwapBehavior: (typeof swapBehaviors)[number];
  readonly singleProcessOomKill: boolean;
  readonly seccompDefault: boolean | string;
  readonly streamingConnectionIdleTimeout: string;
  readonly protectKernelDefaults: boolean | string;
  readonly imageGcHighThreshold: string;
  readonly imageGcLowThreshold: string;
  readonly minimumImageTtlDuration: string;
  readonly imageMaximumGcAge: string;
  readonly podNetwork: PodNetworkMode;
  readonly nodeLabels: string;
  readonly registerWithTaints: string;
  readonly clusterCidr: string;
  readonly nodeportAddresses: string;
  readonly nonMasqueradeCidrs: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly resolvConf?: string;
  readonly failSwapOn: boolean | string;
  readonly port: string;
  readonly bridge: string;
  readonly cniBinDir?: string;
  readonly cgroupRoot: string;
  readonly cgroupDriver?: CgroupDriver;
  readonly maxPods: string;
  readonly podMaxPids: string;
  readonly containerRuntimeEndpoint?: string;
  readonly clientCaFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly tlsCipherSuites?: string;
  readonly tlsMinVersion?: string;
  readonly kubernetesVersion: string;
  readonly oomScoreAdj: string;
  readonly stopPods: boolean;
  readonly supervised: boolean;
  readonly logLevel: string;
}

const program = new Command('kubets-node-agent')
  .description('Runs a node of a Kubernetes cluster: kubelet over a containerd of its own. Needs root.')
  .requiredOption('--data-dir <path>', 'where everything of the node is kept')
  .option(
    '--kubelet-dir <path>',
    'where pods and storage drivers have their files (default: <data-dir>/node; elsewhere it is /var/lib/kubelet)',
  )
  .option('--kubeconfig <file>', 'how to reach the API server, and as whom')
  .option('--bootstrap-kubeconfig <file>', 'in its place: how to reach it, and the token to ask for the first certificate with')
  .option('--cert-dir <path>', 'where certificates are kept that were asked for (default: <data-dir>/node/pki)', '')
  .option('--node-configuration', 'read ranges, DNS and pod network from the cluster instead of the flags', false)
  .option('--node-name <name>', 'default: the host name')
  .option('--node-ip <address>', 'default: the address of the default route')
  .option('--pod-cidr <cidr>', "range of this node's pods (default: the one that the control plane gives it)")
  .addOption(
    new Option('--pod-network <mode>', 'how pods of other nodes are reached; external: a network plugin of your own in /etc/cni/net.d')
      .choices(podNetworkModes)
      .default('host-gw'),
  )
  .option('--pod-manifest-path <directory>', 'manifests of pods that run here whatever the API says (default: <data-dir>/manifests)')
  .option('--eviction-hard <thresholds>', 'what is too little: signal<amount or percent,...', defaultEvictionFlags.evictionHard)
  .option('--eviction-soft <thresholds>', 'what is too little for long, likewise', '')
  .option('--eviction-soft-grace-period <periods>', 'for how long, signal=duration,...', '')
  .option('--eviction-minimum-reclaim <amounts>', 'how much more is to be free before it is over, signal=amount,...', '')
  .option('--eviction-max-pod-grace-period <seconds>', 'that pods have to end where a soft threshold is passed', '0')
  .option('--eviction-pressure-transition-period <duration>', 'how long pressure is told of after it is over', '5m0s')
  .option('--allowed-unsafe-sysctls <names>', 'sysctls that pods may set besides the safe ones; a name may end in a star', '')
  .option('--serialize-image-pulls', 'pull one image at a time', false)
  .option('--max-parallel-image-pulls <number>', 'pull at most so many images at a time (default: any number)', '0')
  .option(
    '--device-plugin-dir <directory>',
    'sockets of device plugins (default: <data-dir>/node/device-plugins; elsewhere it is /var/lib/kubelet/device-plugins)',
  )
  .option(
    '--shutdown-grace-period <duration>',
    'by how long pods may delay the shutdown of the machine; 0s: not at all',
    defaultShutdownFlags.shutdownGracePeriod,
  )
  .option(
    '--shutdown-grace-period-critical-pods <duration>',
    'the end of it, for critical pods alone',
    defaultShutdownFlags.shutdownGracePeriodCriticalPods,
  )
  .option(
    '--shutdown-grace-period-by-pod-priority <periods>',
    'in place of both: priority=duration,..., each for pods of that priority up to the next',
    defaultShutdownFlags.shutdownGracePeriodByPodPriority,
  )
  .option('--image-credential-provider-config <file>', 'programs that know credentials of registries')
  .option('--image-credential-provider-bin-dir <directory>', 'where they lie', '')
  .addOption(new Option('--memory-swap-behavior <behavior>', 'what containers may do with swap').choices(swapBehaviors).default('NoSwap'))
  .option('--single-process-oom-kill', 'short of memory, kill one process, not its container as a whole (cgroups of version 2)', false)
  .option('--image-gc-high-threshold <percent>', 'of the disk in use, above which images are removed that nobody uses', '85')
  .option('--image-gc-low-threshold <percent>', 'down to which', '80')
  .option('--minimum-image-ttl-duration <duration>', 'age from which images may be removed', '2m0s')
  .option('--image-maximum-gc-age <duration>', 'for which images may be unused (default: for ever)', '0s')
  .option('--node-labels <labels>', 'labels to register the node with, key=value,...', '')
  .option('--register-with-taints <taints>', 'taints to register the node with, key=value:effect,...', '')
  .option('--cluster-cidr <cidr>', 'range of all pods of the cluster', '10.244.0.0/16')
  .option('--nodeport-addresses <ranges>', 'ranges of addresses that take traffic to node ports, separated by commas', 'primary')
  .option('--non-masquerade-cidrs <ranges>', 'what pods reach with their own address besides pods, separated by commas', '')
  .option('--cluster-dns <addresses>', 'DNS servers of pods, separated by commas', '10.96.0.10')
  .option('--cluster-domain <domain>', 'DNS domain of the cluster', 'cluster.local')
  .option(
    '--resolv-conf <file>',
    "resolver configuration that Pods and cluster DNS go by; '': none (default: the machine's, or that behind systemd-resolved)",
  )
  .option('--fail-swap-on [boolean]', 'end at once if the machine has swap on', false)
  .option(
    '--protect-kernel-defaults [boolean]',
    'end at once if settings of the kernel are not those of a kubelet, in place of making them so',
    false,
  )
  .option('--port <number>', "port of the kubelet's API", '10250')
  .option('--bridge <name>', 'network bridge of the pods', 'cni0')
  .option('--cni-bin-dir <path>', 'where CNI plugins lie (default: /usr/lib/cni, /opt/cni/bin or /usr/libexec/cni)')
  .option('--cgroup-root <name>', 'cgroup of all pods', '/kubepods')
  .addOption(
    new Option(
      '--cgroup-driver <name>',
      'who makes cgroups (default: what the runtime says, else systemd where it is the first process and cgroups are of version 2, else cgroupfs)',
    ).choices(cgroupDrivers),
  )
  .option('--seccomp-default [boolean]', 'containers that name no seccomp profile have that of the runtime', false)
  .option(
    '--streaming-connection-idle-timeout <duration>',
    'after which connections of exec, attach and port-forward end that carry nothing; 0: never',
    '4h0m0s',
  )
  .option('--max-pods <number>', 'pods the node takes', '110')
  .option('--pod-max-pids <number>', 'processes and threads that a pod may have (default: -1, any number)', '-1')
  .option(
    '--enforce-node-allocatable <names>',
    `which cgroups are limited: ${enforcements.join(', ')}`,
    defaultAllocatableFlags.enforceNodeAllocatable,
  )
  .option('--system-reserved <amounts>', "kept from pods for the system's programs: cpu=500m,memory=1Gi,ephemeral-storage=1Gi,pid=1000", '')
  .option('--kube-reserved <amounts>', "likewise for the node's own programs", '')
  .option('--system-reserved-cgroup <name>', "cgroup of the system's programs, absolute: /system.slice", '')
  .option('--kube-reserved-cgroup <name>', "cgroup of the node's own programs", '')
  .option('--reserved-cpus <list>', 'CPUs whose number is reserved in place of the cpu of both reservations: 0-1,3', '')
  .option('--container-runtime-endpoint <url>', 'a CRI runtime to use in place of one of its own, unix:///path')
  .option('--client-ca-file <file>', "CA of the clients of the kubelet's API (default: that of the kubeconfig)")
  .option('--tls-cert-file <file>', "certificate of the kubelet's API (default: a self-signed one)")
  .option('--tls-private-key-file <file>', 'its key')
  .option(
    '--tls-cipher-suites <names>',
    "cipher suites of the kubelet's API up to TLS 1.2, by Go's names, separated by commas (default: those of Go)",
  )
  .option('--tls-min-version <version>', `least version of TLS: ${tlsVersions.join(', ')} (default: VersionTLS12)`)
  .option('--kubernetes-version <version>', 'what the node reports', 'v1.36.0')
  .option('--oom-score-adj <number>', "score of the agent with the kernel's OOM killer, -1000 to 1000", String(oomScores.agent))
  .option('--stop-pods', 'when told to stop, stop all pods and clear the node away, but for its images', false)
  .option('--supervised', 'take orders from standard input, write heartbeats to standard output, and end when the input does', false)
  .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error', 'silent']).default('info'))
  .action((flags: Flags) => main(flags));

/**
 * Unloads Node's TypeScript compiler by a restart: it keeps 20 MiB once it was used, and its output is cached. Does nothing if the sources
 * are unchanged since the last start, or are JavaScript.
 */
function leaveCompiler(): void {
  const loaded: unknown = Reflect.get(process, 'moduleLoadList');
  const hasCompiler = Array.isArray(loaded) && loaded.some((name) => String(name).includes('internal/deps/amaro'));
  const again = 'KUBETS_AGENT_COMPILED';
  if (!hasCompiler || process.env[again] !== undefined || module.getCompileCacheDir() === undefined) return;
  module.flushCompileCache();
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], { ...process.env, [again]: '1' });
}

async function main(flags: Flags): Promise<void> {
  leaveCompiler();
  const logger = startLog(flags.logLevel);
  const { signal, order } = untilToldToStop(flags, logger);
  await protectAgent(flags.oomScoreAdj, logger);
  const connection = await connect(flags, logger, signal);
  let settings: AgentSettings | undefined;
  try {
    settings = await settingsOf(flags, connection, logger, signal);
    const suspendWithin = () => (order().pods ? periodsOf(order().graceSeconds, order().criticalGraceSeconds) : []);
    const { transport, credentials } = connection;
    const dependencies = { transport, credentials, clock: systemClock, random: systemRandom, logger, suspendWithin };
    const running = runAgent(settings, dependencies, signal);
    const patienceMs = () => order().graceSeconds * 1000 + endPatienceMs;
    if (!(await endInTime(running, signal, patienceMs, systemClock))) logger.error('a part of the agent does not end; going on without it');
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    connection.close();
  }
  if (!order().pods) return;
  if (settings === undefined) throw new Error('told to stop before it was known what the node is made of: Pods of an earlier start go on');
  await cleanAgent(settings, { clock: systemClock, logger }, { keepImages: true, runtimeEndpoint: flags.containerRuntimeEndpoint });
}

/** Time that the parts of the agent have to end beyond the time of Pods. */
const endPatienceMs = 15_000;

/** The milliseconds for which an agent runs on after its supervisor has ended: a restarted supervisor replaces it without a gap in DNS. */
const unsupervisedMs = 30_000;

/** Aborts with the first signal or order to stop, or when the supervisor has been gone for too long. */
function untilToldToStop(flags: Flags, logger: Logger): { readonly signal: AbortSignal; readonly order: () => StopOrder } {
  const abort = new AbortController();
  let order: StopOrder = { pods: flags.stopPods, graceSeconds: 0, criticalGraceSeconds: 0 };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => abort.abort(new Error(`received ${name}`)));
  if (flags.supervised)
    connectSupervisor({
      clock: systemClock,
      onStop(given) {
        if (abort.signal.aborted) return;
        order = given;
        abort.abort(new Error('told to stop'));
      },
      onGone() {
        logger.error('the process that looks after this agent has ended; the agent ends as well, Pods go on', { inMs: unsupervisedMs });
        const stop = () => {
          if (!abort.signal.aborted) order = { pods: false, graceSeconds: 0, criticalGraceSeconds: 0 };
          abort.abort(new Error('nobody looks after the agent'));
        };
        systemClock.setTimer(unsupervisedMs, stop, { background: true });
      },
    });
  return { signal: abort.signal, order: () => order };
}

async function protectAgent(text: string, logger: Logger): Promise<void> {
  const score = Number(text);
  if (!/^-?\d+$/.test(text) || Math.abs(score) > 1000) throw new Error(`--oom-score-adj: ${text} is not a number from -1000 to 1000`);
  await setOOMScore('self', score).catch((error: unknown) =>
    logger.info('the agent has no score of its own with the OOM killer', { error }),
  );
}

interface Connection {
  readonly transport: Transport;
  readonly credentials: NodeCredentials;
  /** Absolute; where the cluster gives this node its certificates. */
  readonly certificateDirectory?: string;
  close(): void;
}

async function connect(flags: Flags, logger: Logger, signal: AbortSignal): Promise<Connection> {
  if (flags.bootstrapKubeconfig !== undefined) {
    const bootstrap = await readKubeconfig(path.resolve(flags.bootstrapKubeconfig));
    const certificateDirectory = path.resolve(flags.certDir || path.join(flags.dataDir, 'node/pki'));
    const nodeName = flags.nodeName ?? hostname().toLowerCase();
    const parts = { clock: systemClock, random: systemRandom, logger, files: createHostFiles() };
    const own = await createNodeTransport({ bootstrap, nodeName, certificateDirectory, ...parts }, signal);
    return { ...own, certificateDirectory };
  }
  if (flags.kubeconfig === undefined) throw new Error("required option '--kubeconfig <file>' not specified");
  const { tlsCertFile, tlsPrivateKeyFile, clientCaFile } = flags;
  const serving =
    tlsCertFile !== undefined && tlsPrivateKeyFile !== undefined
      ? { serving: { certificate: path.resolve(tlsCertFile), key: path.resolve(tlsPrivateKeyFile) } }
      : {};
  const paths = {
    kubeconfig: path.resolve(flags.kubeconfig),
    ...(clientCaFile === undefined ? {} : { clientCA: path.resolve(clientCaFile) }),
    ...serving,
  };
  const { credentials, connection } = await createFileCredentials(paths, { clock: systemClock, logger, files: createHostFiles() });
  return { ...connection, credentials };
}

/** The common flags of all nodes of the cluster, as the cluster has them. */
async function commonFlags(flags: Flags, { transport }: Connection, logger: Logger, signal: AbortSignal): Promise<Flags> {
  if (!flags.nodeConfiguration) return flags;
  const asking = { client: createClient(transport), clock: systemClock, random: systemRandom, logger };
  const { clusterCIDR, clusterDNS, clusterDomain, podNetwork } = await askNodeConfiguration(asking, signal);
  return { ...flags, clusterCidr: clusterCIDR, clusterDns: clusterDNS, clusterDomain, podNetwork };
}

function tlsOf({ tlsMinVersion, tlsCipherSuites }: Flags): TLSSettings {
  return parseTLSSettings({
    ...(tlsMinVersion === undefined ? {} : { tlsMinVersion }),
    ...(tlsCipherSuites === undefined ? {} : { tlsCipherSuites: listOf(tlsCipherSuites) }),
  });
}

async function settingsOf(given: Flags, connection: Connection, logger: Logger, signal: AbortSignal): Promise<AgentSettings> {
  const flags = await commonFlags(given, connection, logger, signal);
  const { certificateDirectory } = connection;
  const { nodeName, nodeIp, containerRuntimeEndpoint } = flags;
  const allocatable = parseAllocatableFlags(flags, availableParallelism());
  return {
    dataDirectory: path.resolve(flags.dataDir),
    ...(flags.kubeletDir === undefined ? {} : { kubeletDirectory: path.resolve(flags.kubeletDir) }),
    podNetwork: flags.podNetwork,
    clusterCIDR: flags.clusterCidr,
    nodePortAddresses: listOf(flags.nodeportAddresses),
    unmasqueradedCIDRs: listOf(flags.nonMasqueradeCidrs),
    clusterDNS: listOf(flags.clusterDns),
    clusterDomain: flags.clusterDomain,
    ...(flags.resolvConf === undefined ? {} : { resolvConf: flags.resolvConf === '' ? '' : path.resolve(flags.resolvConf) }),
    failSwapOn: String(flags.failSwapOn) === 'true',
    port: Number(flags.port),
    bridge: flags.bridge,
    cniPluginDirectory: flags.cniBinDir ?? (await findPluginDirectory()),
    cgroupRoot: flags.cgroupRoot,
    ...(flags.cgroupDriver === undefined ? {} : { cgroupDriver: flags.cgroupDriver }),
    eviction: allocatable.enforce.includes('pods') ? withAllocatableMemory(parseEvictionFlags(flags)) : parseEvictionFlags(flags),
    swapBehavior: flags.memorySwapBehavior,
    singleProcessOOMKill: flags.singleProcessOomKill,
    seccompDefault: String(flags.seccompDefault) === 'true',
    streamingIdleMs: parseDurationMs(flags.streamingConnectionIdleTimeout),
    protectKernelDefaults: String(flags.protectKernelDefaults) === 'true',
    credentialProviders:
      flags.imageCredentialProviderConfig === undefined
        ? []
        : parseCredentialProviders(await readFile(flags.imageCredentialProviderConfig, 'utf8')),
    credentialProviderDirectory: path.resolve(flags.imageCredentialProviderBinDir),
    devicePluginDirectory: path.resolve(flags.devicePluginDir ?? path.join(flags.dataDir, 'node/device-plugins')),
    shutdown: parseShutdownFlags(flags),
    allowedUnsafeSysctls: parseUnsafeSysctls(flags.allowedUnsafeSysctls),
    maxParallelImagePulls: flags.serializeImagePulls ? 1 : Number(flags.maxParallelImagePulls) || Number.POSITIVE_INFINITY,
    imageCollection: {
      highPercent: Number(flags.imageGcHighThreshold),
      lowPercent: Number(flags.imageGcLowThreshold),
      minAgeMs: parseDurationMs(flags.minimumImageTtlDuration),
      maxAgeMs: parseDurationMs(flags.imageMaximumGcAge),
    },
    manifestDirectory: path.resolve(flags.podManifestPath ?? path.join(flags.dataDir, 'manifests')),
    maxPods: Number(flags.maxPods),
    allocatable,
    ...podPidsLimit(flags.podMaxPids),
    version: flags.kubernetesVersion,
    labels: parseNodeLabels(flags.nodeLabels),
    taints: parseTaints(flags.registerWithTaints),
    ...fileNames(flags),
    tls: tlsOf(flags),
    ...(certificateDirectory === undefined ? {} : { certificateDirectory }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(flags.podCidr === undefined ? {} : { podCIDR: flags.podCidr }),
    ...(nodeIp === undefined ? {} : { nodeIPs: nodeIp.split(',') }),
    ...(containerRuntimeEndpoint === undefined ? {} : { runtimeEndpoint: containerRuntimeEndpoint }),
  };
}

/** The files that certificates come from. The authority of clients is in the kubeconfig where no file is named. */
function fileNames({ clientCaFile, bootstrapKubeconfig, kubeconfig, tlsCertFile, tlsPrivateKeyFile }: Flags): Pick<AgentSettings, 'files'> {
  return {
    files: {
      clientCAFile: path.resolve(clientCaFile ?? bootstrapKubeconfig ?? kubeconfig ?? ''),
      ...(tlsCertFile === undefined ? {} : { tlsCertFile: path.resolve(tlsCertFile) }),
      ...(tlsPrivateKeyFile === undefined ? {} : { tlsPrivateKeyFile: path.resolve(tlsPrivateKeyFile) }),
    },
  };
}

/** -1 and 0: any number. */
function podPidsLimit(text: string): Pick<AgentSettings, 'pidsLimit'> {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < -1) throw new Error(`invalid argument "${text}" for "--pod-max-pids" flag`);
  return limit > 0 ? { pidsLimit: limit } : {};
}

function listOf(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

/** On standard error, which is a file of the agent's own or systemd's journal. */
function startLog(level: string): Logger {
  const fd = 2;
  const isJournal = isJournalStream(process.env['JOURNAL_STREAM'], fstatSync(fd));
  const log = createProcessLog({ level, fd, stream: () => process.stderr, clock: systemClock, isJournal });
  process.on('exit', log.flush);
  return log.logger;
}

program.parseAsync().then(
  // Open handles, such as a connection to a hanging runtime, must not keep the process alive.
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
