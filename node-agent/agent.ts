import type { Clock } from '../api/base/clock.ts';
import type { Logger } from '../api/base/logger.ts';
import type { TLSSettings } from '../api/base/tls-settings.ts';
import type { Random } from '../api/base/random.ts';
import { mapWatched } from '../api/base/watched-value.ts';
import { createClient } from '../api/client/create-client.ts';
import type { Transport } from '../api/client/transport.ts';
import { familiesOf, type IPFamily } from '../api/semantics/services/ip-family.ts';
import type { PodNetworkMode } from '../api/semantics/nodes/node-configuration.ts';
import { externalNetwork, prepareExternalNetwork, usesExternalNetwork } from './network/cni/external-network.ts';
import { createPodNetwork, type PodNetwork } from './network/cni/pod-network.ts';
import { sandboxAddresses } from './network/cni/sandbox-addresses.ts';
import { type CRIClient, createCRIClient } from './cri/cri-client.ts';
import { keepOrphansAway, noteCreations, type SandboxPart } from './cri/remove-orphans.ts';
import { renderAbsenceRemoval } from './network/dns/absence-rules.ts';
import type { NodeCredentials } from './kubelet/certificates/node-credentials.ts';
import { reportCertificates } from './kubelet/certificates/report-certificates.ts';
import { createServing } from './kubelet/certificates/serving-certificate.ts';
import { createCredentialProviders, type CredentialProvider } from './kubelet/images/credential-providers.ts';
import { completeResources } from './kubelet/resources/complete-resources.ts';
import { createKubelet, type Kubelet, runtimeSilenceMs } from './kubelet/kubelet.ts';
import type { KubeletSettings } from './kubelet/kubelet-settings.ts';
import { kubeletConfiguration } from './kubelet/kubelet-configuration.ts';
import { followMachineShutdown } from './kubelet/shutdown/follow-machine-shutdown.ts';
import { type NodePaths, nodePaths } from './node-paths.ts';
import type { ShutdownPeriods } from './kubelet/shutdown/shutdown-periods.ts';
import { startKubeletServer } from './kubelet/server/kubelet-server.ts';
import { createNodeInformation, type NodeInformation } from './kubelet/server/node-information.ts';
import { createRequestIdentity } from './kubelet/server/request-identity.ts';
import { createRequestPermission } from './kubelet/server/request-permission.ts';
import { createLocalDirectories } from './kubelet/volumes/local-directories.ts';
import { createNodeStatsSource, type NodeStatsSource } from './kubelet/stats/node-stats.ts';
import type { SystemUsage } from './kubelet/stats/system-containers.ts';
import { createPodStorageReader, type PodStorageReader } from './kubelet/stats/pod-storage.ts';
import { createTallies, type Tallies } from './kubelet/stats/tallies.ts';
import { createNFT } from './linux/nft/nft.ts';
import { renderTableRemovals } from './network/proxy/nftables/base-table.ts';
import { renderPolicyTableRemoval } from './network/policy/policy-table.ts';
import { prepareCgroups, rememberedDriver } from './linux/cgroups/cgroup-driver.ts';
import { type CgroupDriver, type CgroupNames, cgroupNames } from './linux/cgroups/cgroup-names.ts';
import { type CleanNodeDependencies, cleanNode } from './linux/runtime/clean-node.ts';
import { type Containerd, containerdSocket, createContainerd } from './linux/runtime/containerd.ts';
import type { ContainerdPlan } from './linux/runtime/containerd-config.ts';
import { hasContainerdRecord } from './linux/runtime/containerd-records.ts';
import { type FollowedProgram, followProgram } from './linux/processes/follow-program.ts';
import { createHostFiles } from './linux/files/host-files.ts';
import { createImageArchives } from './linux/runtime/image-archives.ts';
import { createLoginManager } from './linux/machine/login-manager.ts';
import { type MachineFacts, readMachineFacts } from './linux/machine/machine.ts';
import { ownAddresses } from './linux/machine/machine-addresses.ts';
import { createNodeNetwork } from './network/network.ts';
import { createKernelAccess } from './linux/kernel/kernel-access.ts';
import { kernelNeeds } from './linux/kernel/kernel-needs.ts';
import { applyKernelTunables } from './linux/kernel/kernel-tunables.ts';
import { createKernelReadiness, type KernelReadiness } from './linux/kernel/kernel-readiness.ts';
import { createMounts } from './linux/mounts/mounts.ts';
import { sandboxNetworkNamespaces } from './linux/runtime/sandbox-network-namespaces.ts';
import { sandboxShims } from './linux/runtime/shims.ts';
import { createTableWatch, type TableWatch } from './linux/nft/table-watch.ts';
import { createUsageReader, type UsageReader } from './linux/machine/node-usage.ts';
import { pauseImageName } from './linux/runtime/pause-image.ts';
import { createPressureReader, type PressureReader } from './linux/machine/pressure.ts';
import { readOwnUsage, readProcessUsage } from './linux/machine/process-usage.ts';
import { runProgram } from './linux/processes/run-program.ts';
import { readOwnProcess } from './linux/processes/processes.ts';

/** The paths of a node and the parts of the machine it uses: enough to run it and to remove it. */
export interface NodeLayout {
  /** Absolute. */
  readonly dataDirectory: string;
  /** Absolute; default: `node` in the data directory. Remembered there, so that clearing the node away finds it. */
  readonly kubeletDirectory?: string;
  /**
   * The range of all Pods of the cluster, which are reached without masquerading: one range, or one of each family separated by a comma.
   */
  readonly clusterCIDR: string;
  readonly bridge: string;
  readonly cniPluginDirectory: string;
  readonly cgroupRoot: string;
  /** Absent: the runtime's driver, or that of running Pods. */
  readonly cgroupDriver?: CgroupDriver;
}

export interface AgentSettings extends NodeLayout, Omit<KubeletSettings, 'nodeName' | 'nodeIPs'> {
  /** Default: the machine's name, and its addresses of the families that Pods have. */
  readonly nodeName?: string;
  readonly nodeIPs?: readonly string[];
  readonly credentialProviders: readonly CredentialProvider[];
  /** Absolute; where their programs lie. */
  readonly credentialProviderDirectory: string;
  /** A runtime that others look after, `unix:///path`; absent: a containerd of the agent's own. */
  readonly runtimeEndpoint?: string;
  /** The files from which keys and authorities were read, for /configz. */
  readonly files: CertificateFiles;
  /** `external`: others (a DaemonSet) set the network up, where CNI's own folders are. */
  readonly podNetwork: PodNetworkMode;
  /** Whether swap keeps the agent from starting. */
  readonly failSwapOn?: boolean;
  /** The value of kube-proxy's flag of this name: `primary`, or CIDRs. */
  readonly nodePortAddresses: readonly string[];
  /** Ranges that Pods reach with their own address, besides those of Pods. */
  readonly unmasqueradedCIDRs: readonly string[];
  /** Versions and suites of the kubelet's API. */
  readonly tls: TLSSettings;
  /**
   * The absolute path of the directory for certificates that the cluster has issued. With it the kubelet requests a serving certificate.
   */
  readonly certificateDirectory?: string;
}

/** Absolute paths. */
export interface CertificateFiles {
  readonly clientCAFile: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
}

export interface AgentDependencies {
  readonly transport: Transport;
  readonly credentials: NodeCredentials;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called when the agent is told to stop: returns the time in which Pods are to be stopped before. undefined: they keep running. */
  readonly suspendWithin?: () => ShutdownPeriods;
}

/**
 * Runs a node until the signal is aborted. Containers go on after that and are adopted by the next start; `cleanAgent`
 * stops them.
 */
export async function runAgent(settings: AgentSettings, dependencies: AgentDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger, random, transport } = dependencies;
  const paths = nodePaths(settings.dataDirectory, settings.kubeletDirectory);
  await rememberLayout(paths, settings.runtimeEndpoint);
  const machine = await machineFor(settings);
  const families = familiesOf(settings.clusterCIDR.split(','));
  const nodeIPs = settings.nodeIPs ?? ownAddresses(machine.address, families);
  if (nodeIPs.length === 0) throw new Error('the machine has no address that others could reach: name one with --node-ip');
  const node = { check: () => {} };
  const kernel = await prepareKernel({ ...settings, families, cpus: machine.cpus }, dependencies, () => node.check());
  if (settings.podNetwork === 'external' || settings.runtimeEndpoint !== undefined)
    await prepareExternalNetwork(settings.cniPluginDirectory);
  const endpoint = settings.runtimeEndpoint ?? `unix://${containerdSocket(paths.containerd)}`;
  const tallies = createTallies();
  const cri = createCRIClient({ endpoint, clock, onOperation: (...operation) => countOperation(tallies, ...operation) });
  try {
    const client = createClient(transport);
    const files = createHostFiles();
    const nodeName = settings.nodeName ?? machine.hostname;
    const noted = noteCreations(cri.runtime, clock);
    const folders = { podsDirectory: paths.pods, directory: paths.root };
    const { names, ...groups } = await prepareCgroups(settings, { ...dependencies, ...folders, runtime: cri.runtime }, signal);
    const containerd = ownContainerd({ ...settings, cgroupDriver: names.driver }, paths, dependencies);
    if (settings.runtimeEndpoint === undefined) await startContainerd(containerd, paths, machine.architecture, logger, signal);
    const usage = createUsageReader(groups.cgroups.hierarchies);
    const stats = createNodeStatsSource({ ...cri, files, usage, clock, podsDirectory: paths.pods, cgroupNames: names });
    const storage = createPodStorageReader({ files, paths, clock });
    const tables = watchTables(dependencies);
    const network = createNodeNetwork(settings, {
      ...{ ...dependencies, client, nodeName, nodeIPs, runtime: cri.runtime },
      checkNode: () => node.check(),
      podNetwork: podNetwork(settings, paths, settings.unmasqueradedCIDRs, tables.nft),
      tables,
    });
    const kubelet: Kubelet = createKubelet({
      settings: { ...settings, nodeName, nodeIPs },
      ...{ client, clock, random, logger },
      runtime: completeResources(noted.runtime, { ...groups, cgroupNames: names }),
      images: cri.images,
      ...{ files, mounts: createMounts(), ...groups, cgroupNames: names, machine, paths, tallies, storage, stats, usage },
      findCredentials: credentialProviders(settings, dependencies),
      isolatePod: network.isolatePod,
      releasePod: network.releasePod,
      machineProblems: kernel.problems,
      reviveRuntime: async (until) => {
        if (settings.runtimeEndpoint === undefined) await containerd.ensureRunning(until);
      },
    });
    const { workers } = kubelet;
    node.check = kubelet.checkNode;
    const { credentials } = dependencies;
    const serving = await createServing(settings, { ...dependencies, client, files, nodeName, nodeIPs });
    const server = await startKubeletServer(
      { ...settings, ...serving.pair.get(), clientCA: credentials.authorities.get(), nodeName },
      {
        ...{ clock, logger, files, paths, workers, runtime: cri.runtime },
        localDirectories: createLocalDirectories({ files, mounts: createMounts(), paths }),
        identify: createRequestIdentity({ client, clock }),
        permit: createRequestPermission({ client, clock, nodeName }),
        information: informationOf(
          { ...settings, nodeName, nodeIPs },
          {
            ...{ clock, cri, machine, tallies, storage, stats, usage, kubelet, cgroupNames: names },
            pressure: createPressureReader(groups.cgroups.hierarchies),
            systemUsage: () => systemUsage(settings.runtimeEndpoint === undefined ? containerd : undefined),
          },
        ),
        onRequest: (method, action, tookMs) => countRequest(tallies, method, action, tookMs),
      },
    );
    try {
      const until = afterSuspension(kubelet, dependencies, signal);
      await Promise.all([
        kubelet.run(until),
        kernel.run(until),
        network.run(until),
        followShutdown(settings, kubelet, dependencies, until),
        credentials.run(until),
        serving.run(server, until),
        reportCertificates(
          { client, clock, logger, nodeName, credentials, serving: mapWatched(serving.pair, ({ certificate }) => certificate) },
          until,
        ),
        keepOrphansAway({ ...dependencies, ...noted, parts: orphansOf(settings) }, until),
      ]);
    } finally {
      await server.close();
    }
  } finally {
    cri.close();
  }
}

function credentialProviders(
  { credentialProviders: providers, credentialProviderDirectory: directory }: AgentSettings,
  parts: AgentDependencies,
) {
  return createCredentialProviders({
    ...{ ...parts, providers },
    run: ({ name, args, env }, input) => runProgram(`${directory}/${name}`, args, { input, environment: env }),
  });
}

/** The kernel's modules and settings, made before the first container and the first rule need them. */
async function prepareKernel(
  settings: Pick<AgentSettings, 'podNetwork' | 'runtimeEndpoint' | 'protectKernelDefaults'> & {
    readonly families: readonly IPFamily[];
    readonly cpus: number;
  },
  { clock, logger }: Pick<AgentDependencies, 'clock' | 'logger'>,
  onChange: () => void,
): Promise<KernelReadiness> {
  const kernel = createKernelAccess();
  await applyKernelTunables(settings.protectKernelDefaults, { kernel, logger });
  const needs = kernelNeeds({ ...settings, hasOwnRuntime: settings.runtimeEndpoint === undefined });
  const readiness = createKernelReadiness({ needs, kernel, clock, logger, onChange });
  await readiness.ensure();
  return readiness;
}

/** Throws, in the kubelet's words, where the machine has swap on and is not to have it. */
async function machineFor({ failSwapOn = false }: AgentSettings): Promise<MachineFacts> {
  const machine = await readMachineFacts();
  if (failSwapOn && machine.swapBytes > 0)
    throw new Error('running with swap on is not supported, please disable swap or set --fail-swap-on flag to false');
  return machine;
}

/** Aborted when the signal is and the Pods have had their time, if they are to be stopped. */
function afterSuspension({ shutdown }: Kubelet, { suspendWithin = () => [], logger }: AgentDependencies, signal: AbortSignal): AbortSignal {
  const abort = new AbortController();
  const stop = () =>
    void shutdown
      .suspend(suspendWithin())
      .catch((error: unknown) => logger.error('Pods could not be stopped in order', { error }))
      .finally(() => abort.abort(signal.reason));
  if (signal.aborted) abort.abort(signal.reason);
  else signal.addEventListener('abort', stop, { once: true });
  return abort.signal;
}

function followShutdown({ shutdown: periods }: AgentSettings, { shutdown }: Kubelet, dependencies: AgentDependencies, signal: AbortSignal) {
  return followMachineShutdown({ ...dependencies, login: createLoginManager(), shutdown, periods }, signal);
}

/** The parts to clear away; of a runtime that others look after, they clear away its processes; the same with networks. */
function orphansOf(settings: AgentSettings): SandboxPart[] {
  const paths = nodePaths(settings.dataDirectory);
  const { cniState: ipamDirectory, containerd } = paths;
  const { cniPluginDirectory: pluginDirectory, podNetwork: mode, runtimeEndpoint } = settings;
  const configDirectory = networkFolder(paths, runtimeEndpoint);
  const socket = containerdSocket(containerd);
  const hasRecord = (id: string) => hasContainerdRecord(socket, id);
  const isOwn = runtimeEndpoint === undefined;
  const addresses = { configDirectory, ipamDirectory, pluginDirectory, ...(isOwn ? { hasRecord } : {}) };
  return [
    ...(isOwn ? [sandboxShims({ socket, hasRecord }), sandboxNetworkNamespaces(containerd)] : []),
    ...(mode === 'external' ? [] : [sandboxAddresses(addresses)]),
  ];
}

interface InformationParts {
  readonly cgroupNames: CgroupNames;
  readonly clock: Clock;
  readonly cri: CRIClient;
  readonly machine: MachineFacts;
  readonly tallies: Tallies;
  readonly storage: PodStorageReader;
  readonly stats: NodeStatsSource;
  readonly usage: UsageReader;
  readonly pressure: PressureReader;
  readonly systemUsage: () => Promise<SystemUsage>;
  readonly kubelet: Kubelet;
}

async function systemUsage(containerd: Containerd | undefined): Promise<SystemUsage> {
  const [kubelet, runtime] = await Promise.all([readOwnUsage(), containerd?.pids().then(readProcessUsage)]);
  return { ...(kubelet ? { kubelet } : {}), ...(runtime ? { runtime } : {}) };
}

function informationOf(settings: AgentSettings & KubeletSettings, parts: InformationParts): NodeInformation {
  const { clock, cri, kubelet, cgroupNames: names } = parts;
  const { nodeName, version } = settings;
  return createNodeInformation({
    ...parts,
    ...{ nodeName, version, runtime: cri.runtime, workers: kubelet.workers },
    self: readOwnProcess,
    startedMs: clock.nowMs(),
    configuration: kubeletConfiguration(settings, names.driver, {
      ...settings.files,
      isIssued: settings.certificateDirectory !== undefined,
    }),
    syncProblem: () => ((kubelet.silenceMs() ?? 0) > runtimeSilenceMs ? 'PLEG is not healthy' : undefined),
    lastSeenMs() {
      const silenceMs = kubelet.silenceMs();
      return silenceMs === undefined ? undefined : clock.nowMs() - silenceMs;
    },
  });
}

function countOperation(tallies: Tallies, operation: string, tookMs: number, hasFailed: boolean): void {
  tallies.add('kubelet_runtime_operations_total', [operation]);
  tallies.add('kubelet_runtime_operations_duration_seconds', [operation], tookMs / 1000);
  if (hasFailed) tallies.add('kubelet_runtime_operations_errors_total', [operation]);
}

const countedActions = ['configz', 'containerLogs', 'healthz', 'metrics', 'pods', 'runningpods', 'stats'];

function countRequest(tallies: Tallies, method: string, action: string, tookMs: number): void {
  const labels = ['false', method, countedActions.includes(action) ? action : 'other', 'readwrite'];
  tallies.add('kubelet_http_requests_total', labels);
  tallies.add('kubelet_http_requests_duration_seconds', labels, tookMs / 1000);
}

/** Names the kubelet's directory of the last start. */
function kubeletDirectoryFile({ root }: NodePaths): string {
  return `${root}/kubelet-directory`;
}

/** The file that names the runtime of the last start; empty: the agent's own runtime. */
function runtimeEndpointFile({ root }: NodePaths): string {
  return `${root}/container-runtime-endpoint`;
}

/** Writes the facts that `cleanAgent` needs to remove the node later. */
async function rememberLayout(paths: NodePaths, runtimeEndpoint: string | undefined): Promise<void> {
  const files = createHostFiles();
  const notes = { [kubeletDirectoryFile(paths)]: paths.kubelet, [runtimeEndpointFile(paths)]: runtimeEndpoint ?? '' };
  // On a full disk, which the agent is to clear, nothing new can be written.
  for (const [file, text] of Object.entries(notes)) if ((await files.findText(file)) !== text) await files.write(file, text);
}

async function rememberedRuntime(paths: NodePaths): Promise<string | undefined> {
  return (await createHostFiles().findText(runtimeEndpointFile(paths))) || undefined;
}

/** Clears a node away: containers, runtime, network, mounts, cgroups and files. */
export async function cleanAgent(
  layout: NodeLayout,
  { clock, logger }: Pick<AgentDependencies, 'clock' | 'logger'>,
  options: Pick<CleanNodeDependencies, 'keepImages' | 'graceSeconds'> & { readonly runtimeEndpoint?: string | undefined },
): Promise<void> {
  const known = await createHostFiles().findText(kubeletDirectoryFile(nodePaths(layout.dataDirectory)));
  const paths = nodePaths(layout.dataDirectory, layout.kubeletDirectory ?? known);
  const runtimeEndpoint = options.runtimeEndpoint ?? (await rememberedRuntime(paths));
  const hasExternalNetwork = await usesExternalNetwork(`${paths.containerd}/config.toml`);
  const cgroupDriver = (await rememberedDriver(paths.root)) ?? layout.cgroupDriver ?? 'cgroupfs';
  await cleanNode({
    clock,
    logger,
    runtime:
      runtimeEndpoint === undefined
        ? containerdPlan({ ...layout, cgroupDriver }, paths, hasExternalNetwork)
        : { endpoint: runtimeEndpoint },
    network: podNetwork({ ...layout, ...(runtimeEndpoint === undefined ? {} : { runtimeEndpoint }) }, paths, []),
    removeServiceRules: () => createNFT().apply(renderTableRemovals() + renderPolicyTableRemoval() + renderAbsenceRemoval()),
    cgroupNames: cgroupNames(cgroupDriver, layout.cgroupRoot),
    root: paths.root,
    kubeletDirectory: paths.kubelet,
    podsDirectory: paths.pods,
    keepImages: options.keepImages,
    ...(options.graceSeconds === undefined ? {} : { graceSeconds: options.graceSeconds }),
  });
}

/** Loads docker or OCI archives into the store of the node's own containerd; answers the images' names. Throws where it has none. */
export async function loadImages(
  dataDirectory: string,
  files: readonly string[],
  { logger }: Pick<AgentDependencies, 'logger'>,
): Promise<string[]> {
  const paths = nodePaths(dataDirectory);
  const { containerd } = paths;
  const other = await rememberedRuntime(paths);
  if (other !== undefined) throw new Error(`the node runs on ${other}, which takes images by programs of its own`);
  const archives = imageArchives(containerd, containerdSocket(containerd), logger);
  const names: string[] = [];
  for (const file of files) names.push(...(await archives.load(file)));
  return names;
}

function imageArchives(directory: string, socket: string, logger: Logger) {
  return createImageArchives({ socket, record: `${directory}/loaded-archives.json`, logger });
}

function containerdPlan(
  { cniPluginDirectory, cgroupDriver = 'cgroupfs' }: NodeLayout,
  paths: NodePaths,
  hasExternalNetwork: boolean,
): ContainerdPlan {
  return {
    directory: paths.containerd,
    socket: containerdSocket(paths.containerd),
    cniConfigDirectory: hasExternalNetwork ? externalNetwork.configDirectory : paths.cniConfig,
    cniPluginDirectory: hasExternalNetwork ? externalNetwork.pluginDirectory : cniPluginDirectory,
    pauseImage: pauseImageName,
    cgroupDriver,
  };
}

/** The directory in which the runtime looks for its network configuration; for an external network, that network's directory. */
function networkFolder({ cniConfig }: NodePaths, runtimeEndpoint: string | undefined): string {
  return runtimeEndpoint === undefined ? cniConfig : externalNetwork.configDirectory;
}

/** `others`: the ranges besides Pods that Pods reach with their own address. */
function podNetwork(
  { bridge, clusterCIDR, cniPluginDirectory, runtimeEndpoint }: NodeLayout & Pick<AgentSettings, 'runtimeEndpoint'>,
  paths: NodePaths,
  others: readonly string[],
  nft = createNFT(),
): PodNetwork {
  const unmasqueradedCIDRs = [...clusterCIDR.split(','), ...others];
  const { cniState: ipamDirectory } = paths;
  const configDirectory = networkFolder(paths, runtimeEndpoint);
  const layout = { bridge, unmasqueradedCIDRs, pluginDirectory: cniPluginDirectory, ipamDirectory, configDirectory };
  return createPodNetwork(layout, { nft });
}

function watchTables(dependencies: AgentDependencies): TableWatch {
  const follow = (program: FollowedProgram, signal: AbortSignal) => followProgram(program, dependencies, signal);
  return createTableWatch({ ...dependencies, nft: createNFT(), follow });
}

function ownContainerd(settings: AgentSettings, paths: NodePaths, { clock, logger }: Pick<AgentDependencies, 'clock' | 'logger'>) {
  return createContainerd(containerdPlan(settings, paths, settings.podNetwork === 'external'), { clock, logger });
}

/** With the images that a node cannot do without. */
async function startContainerd(
  containerd: Containerd,
  paths: NodePaths,
  architecture: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  await containerd.ensureRunning(signal);
  const archives = imageArchives(paths.containerd, containerd.socket, logger);
  await archives.loadPauseImage(architecture);
  await archives.loadAll(paths.imageArchives);
}
