import { type Clock, sleep } from '../api/base/clock.ts';
import type { Logger } from '../api/base/logger.ts';
import type { Random } from '../api/base/random.ts';
import type { Client } from '../api/client/client.ts';
import { createClient } from '../api/client/create-client.ts';
import { createEventRecorder } from '../api/client/event-recorder.ts';
import { createInformerFactory } from '../api/client/informer-factory.ts';
import type { Transport } from '../api/client/transport.ts';
import { clusterDNSPort } from '../api/semantics/cluster-dns.ts';
import { familyOf } from '../api/semantics/ip-family.ts';
import type { PodNetworkMode } from '../api/semantics/node-configuration.ts';
import { createPodNetwork, type PodNetwork } from './cni/pod-network.ts';
import { runPodNetwork } from './cni/run-pod-network.ts';
import { type CRIClient, createCRIClient } from './cri/cri-client.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { createClusterDNS } from './dns/cluster-dns.ts';
import type { Upstream } from './dns/forward/exchange.ts';
import { namesAll } from './kubelet/certificates/certificate-life.ts';
import { readCertificate, rotateCertificate, type RotatingCertificateDependencies } from './kubelet/certificates/rotating-certificate.ts';
import { parseResolvConf } from './kubelet/containers/pod-dns.ts';
import { createKubelet, type Kubelet, type KubeletSettings, runtimeSilenceMs } from './kubelet/kubelet.ts';
import { kubeletConfiguration } from './kubelet/kubelet-configuration.ts';
import { type NodePaths, nodePaths } from './kubelet/node-paths.ts';
import { startKubeletServer } from './kubelet/server/kubelet-server.ts';
import { createNodeInformation, type NodeInformation } from './kubelet/server/node-information.ts';
import { createRequestIdentity } from './kubelet/server/request-identity.ts';
import { createRequestPermission } from './kubelet/server/request-permission.ts';
import { makeSelfSignedCertificate } from './kubelet/server/self-signed-certificate.ts';
import { createNodeStatsSource } from './kubelet/stats/node-stats.ts';
import { createPodStorageReader, type PodStorageReader } from './kubelet/stats/pod-storage.ts';
import { createTallies, type Tallies } from './kubelet/stats/tallies.ts';
import { createConntrack } from './linux/conntrack.ts';
import { createNFT } from './linux/nft.ts';
import { createProxyMetrics } from './proxy/health/proxy-metrics.ts';
import { proxyHealthzPort, proxyMetricsPort, runProxyServer } from './proxy/health/proxy-server.ts';
import { renderTableRemovals } from './proxy/nftables/base-table.ts';
import { runNetworkPolicies } from './network-policy/network-policies.ts';
import { renderPolicyTableRemoval } from './network-policy/policy-table.ts';
import { createProxy } from './proxy/proxy.ts';
import { type Cgroups, createCgroups } from './linux/cgroups.ts';
import { cleanNode } from './linux/clean-node.ts';
import { containerdSocket, createContainerd } from './linux/containerd.ts';
import type { ContainerdPlan } from './linux/containerd-config.ts';
import { createHostFiles, type HostFiles } from './linux/host-files.ts';
import { createImageArchives } from './linux/image-archives.ts';
import { type MachineFacts, readMachineFacts } from './linux/machine.ts';
import { createNodePortAddresses } from './linux/machine-addresses.ts';
import { createMounts } from './linux/mounts.ts';
import { createUsageReader } from './linux/node-usage.ts';
import { pauseImageName } from './linux/pause-image.ts';
import { readOwnProcess } from './linux/processes.ts';
import { applyNetworkSysctls } from './linux/sysctls.ts';

/** Where a node lies and what it is cut out of the machine: enough to run it and to clear it away. */
export interface NodeLayout {
  /** Absolute. */
  readonly dataDirectory: string;
  /** All Pods of the cluster: reached without masquerading. One range, or one of each family with a comma between. */
  readonly clusterCIDR: string;
  readonly bridge: string;
  readonly cniPluginDirectory: string;
  readonly cgroupRoot: string;
}

export interface AgentSettings extends NodeLayout, Omit<KubeletSettings, 'nodeName' | 'nodeIP'> {
  /** Default: the machine's name and address. */
  readonly nodeName?: string;
  readonly nodeIP?: string;
  /** A runtime that others look after, `unix:///path`; absent: a containerd of the agent's own. */
  readonly runtimeEndpoint?: string;
  /** PEM of the authorities that sign the certificates of who may use the kubelet's API. */
  readonly clientCA: string;
  /** `external`: others (a DaemonSet) set the network up, where CNI's own folders are. */
  readonly podNetwork: PodNetworkMode;
  /** As kube-proxy's flag of this name: `primary`, or CIDRs. */
  readonly nodePortAddresses: readonly string[];
  /** For the kubelet's API; absent: one signed by itself is made, as kubelets do. */
  readonly serving?: ServingCertificate;
  /** Absolute; where certificates are kept that the cluster gave. With it the kubelet asks for one to serve with. */
  readonly certificateDirectory?: string;
}

/** PEM. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface AgentDependencies {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Runs a node until the signal is aborted. Containers go on after that and are adopted by the next start; `cleanAgent`
 * stops them.
 */
export async function runAgent(settings: AgentSettings, dependencies: AgentDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger, random, transport } = dependencies;
  const paths = nodePaths(settings.dataDirectory);
  const machine = await readMachineFacts();
  const nodeIP = settings.nodeIP ?? machine.address;
  if (nodeIP === undefined) throw new Error('the machine has no address that others could reach: name one with --node-ip');
  await applyNetworkSysctls(logger);
  const endpoint = settings.runtimeEndpoint ?? (await startContainerd(settings, paths, machine.architecture, dependencies, signal));
  const tallies = createTallies();
  const cri = createCRIClient({ endpoint, clock, onOperation: (...operation) => countOperation(tallies, ...operation) });
  try {
    const client = createClient(transport);
    const files = createHostFiles();
    const nodeName = settings.nodeName ?? machine.hostname;
    const cgroups = await createCgroups();
    const storage = createPodStorageReader({ files, paths, clock });
    const kubelet = createKubelet({
      settings: { ...settings, nodeName, nodeIP },
      client,
      clock,
      random,
      logger,
      runtime: cri.runtime,
      images: cri.images,
      files,
      mounts: createMounts(),
      cgroups,
      machine,
      paths,
      tallies,
      storage,
      reviveRuntime: async (until) => {
        if (settings.runtimeEndpoint === undefined) await ownContainerd(settings, paths, dependencies).ensureRunning(until);
      },
    });
    const { workers } = kubelet;
    const given = servingCertificate(settings, { client, clock, random, logger, files, nodeName, nodeIP });
    const issued = settings.serving ?? (await given?.find());
    // Until the cluster has answered, one that nobody vouches for.
    const serving = issued ?? (await makeSelfSignedCertificate(nodeName, nodeIP, clock));
    const server = await startKubeletServer(
      { ...serving, port: settings.port, clientCA: settings.clientCA, nodeName },
      {
        clock,
        logger,
        files,
        paths,
        workers,
        runtime: cri.runtime,
        identify: createRequestIdentity({ client, clock }),
        permit: createRequestPermission({ client, clock, nodeName }),
        information: informationOf(
          { ...settings, nodeName, nodeIP },
          { ...{ clock, cri, files, paths, machine, tallies, storage, cgroups, kubelet } },
        ),
        onRequest: (method, action, tookMs) => countRequest(tallies, method, action, tookMs),
      },
    );
    try {
      const network = { ...dependencies, client, nodeName, nodeIP, runtime: cri.runtime, checkNode: () => kubelet.checkNode() };
      await Promise.all([
        kubelet.run(signal),
        runNetwork(settings, network, signal),
        given?.keep(issued, (pair) => server.useCertificate(pair), signal),
      ]);
    } finally {
      await server.close();
    }
  } finally {
    cri.close();
  }
}

interface InformationParts {
  readonly clock: Clock;
  readonly cri: CRIClient;
  readonly files: HostFiles;
  readonly paths: NodePaths;
  readonly machine: MachineFacts;
  readonly tallies: Tallies;
  readonly storage: PodStorageReader;
  readonly cgroups: Cgroups;
  readonly kubelet: Kubelet;
}

function informationOf(settings: KubeletSettings, parts: InformationParts): NodeInformation {
  const { clock, cri, files, paths, machine, tallies, storage, cgroups, kubelet } = parts;
  const { nodeName, cgroupRoot, version } = settings;
  const usage = createUsageReader(cgroups.mounts);
  return createNodeInformation({
    ...{ nodeName, cgroupRoot, version, machine, storage, tallies, runtime: cri.runtime, workers: kubelet.workers },
    stats: createNodeStatsSource({ runtime: cri.runtime, images: cri.images, files, usage, clock, podsDirectory: paths.pods, cgroupRoot }),
    self: readOwnProcess,
    startedMs: clock.nowMs(),
    configuration: kubeletConfiguration(settings),
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

type ServingDependencies = Omit<RotatingCertificateDependencies, 'file' | 'wish'> & { readonly nodeName: string; readonly nodeIP: string };

/** The certificate that the cluster gives the kubelet to serve with; undefined where the node does not ask for any. */
function servingCertificate({ certificateDirectory }: AgentSettings, dependencies: ServingDependencies) {
  if (certificateDirectory === undefined) return undefined;
  const { nodeName, nodeIP } = dependencies;
  const names = { dnsNames: [nodeName], addresses: [nodeIP] };
  const rotation: RotatingCertificateDependencies = {
    ...dependencies,
    file: `${certificateDirectory}/kubelet-server-current.pem`,
    wish: { nodeName, signerName: 'kubernetes.io/kubelet-serving', ...names },
  };
  return {
    async find(): Promise<ServingCertificate | undefined> {
      const pair = await readCertificate(rotation);
      return pair && namesAll(pair, names.dnsNames, names.addresses) ? pair : undefined;
    },
    keep: (current: ServingCertificate | undefined, onNew: (pair: ServingCertificate) => void, signal: AbortSignal) =>
      rotateCertificate(rotation, current, onNew, signal),
  };
}

interface NetworkDependencies extends AgentDependencies {
  readonly client: Client;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly runtime: ContainerRuntime;
  readonly checkNode: () => void;
}

/** The node's other parts: the pod network, the Service proxy and cluster DNS. They see the cluster through informers of their own. */
async function runNetwork(settings: AgentSettings, dependencies: NetworkDependencies, signal: AbortSignal): Promise<void> {
  const { client, clock, random, nodeName, nodeIP } = dependencies;
  const logger = dependencies.logger.with({ part: 'network' });
  const informers = createInformerFactory({ client, clock, random, logger });
  const clusterCIDRs = settings.clusterCIDR.split(',');
  const metrics = createProxyMetrics(clock);
  const proxy = createProxy({
    informers,
    nodeName,
    families: [...new Set([...clusterCIDRs, nodeIP].flatMap((text) => familyOf(text) ?? []))],
    nodePortAddresses: createNodePortAddresses(settings.nodePortAddresses, [nodeIP]),
    clusterCIDRs,
    nft: createNFT(),
    conntrack: createConntrack(),
    events: createEventRecorder({ client, clock, logger, component: 'kube-proxy', host: nodeName, signal }),
    clock,
    random,
    logger,
    onSync: metrics.observe,
  });
  const dns = createClusterDNS({
    informers,
    clusterDomain: settings.clusterDomain,
    ...(settings.clusterDNS[0] === undefined ? {} : { serviceAddress: settings.clusterDNS[0] }),
    listen: { address: nodeIP, port: clusterDNSPort },
    allowedSources: clusterCIDRs,
    upstreams: await hostResolvers(settings.clusterDNS),
    clock,
    random,
    logger,
  });
  const { podNetwork: mode } = settings;
  const pods = async () => {
    if (mode === 'external') return;
    const network = podNetwork(settings, nodePaths(settings.dataDirectory));
    const onInstalled = (until: AbortSignal) => reportNetwork(dependencies, until);
    await runPodNetwork({ informers, nodeName, nodeIP, mode, network, onInstalled, clock, logger }, signal);
  };
  const policies = () => runNetworkPolicies({ informers, nodeName, nft: createNFT(), clock, random, logger }, signal);
  const proxyServer = {
    ...{ proxy, metrics, informers, nodeName, clock, random, logger },
    healthz: { address: '0.0.0.0', port: proxyHealthzPort },
    metricsEndpoint: { address: '127.0.0.1', port: proxyMetricsPort },
  };
  const parts = [informers.run(signal), proxy.run(signal), runProxyServer(proxyServer, signal), dns.run(signal), pods()];
  await Promise.all([...parts, ...(mode === 'external' ? [] : [policies()])]);
}

const networkCheckMs = 20;
const networkChecks = 250;

/** The runtime notices its configuration a moment after it was written: the node is ready then, and not only at the next regular look. */
async function reportNetwork({ runtime, clock, checkNode }: NetworkDependencies, signal: AbortSignal): Promise<void> {
  for (let checks = 0; checks < networkChecks; checks++) {
    const conditions = await runtime.status().catch(() => []);
    if (conditions.some(({ type, status }) => type === 'NetworkReady' && status)) break;
    await sleep(clock, networkCheckMs, signal);
  }
  checkNode();
}

/** The servers that the machine itself asks, but for the cluster's own, which would ask itself. */
async function hostResolvers(clusterDNS: readonly string[]): Promise<Upstream[]> {
  const { servers } = parseResolvConf((await createHostFiles().findText('/etc/resolv.conf')) ?? '');
  return servers.filter((address) => !clusterDNS.includes(address)).map((address) => ({ address, port: 53 }));
}

/** Clears a node away: containers, runtime, network, mounts, cgroups and files. */
export async function cleanAgent(
  layout: NodeLayout,
  { clock, logger }: Pick<AgentDependencies, 'clock' | 'logger'>,
  { keepImages, runtimeEndpoint }: { readonly keepImages: boolean; readonly runtimeEndpoint?: string | undefined },
): Promise<void> {
  const paths = nodePaths(layout.dataDirectory);
  await cleanNode({
    clock,
    logger,
    runtime: runtimeEndpoint === undefined ? containerdPlan(layout, paths) : { endpoint: runtimeEndpoint },
    network: podNetwork(layout, paths),
    removeServiceRules: () => createNFT().apply(renderTableRemovals() + renderPolicyTableRemoval()),
    cgroupRoot: layout.cgroupRoot,
    root: paths.root,
    podsDirectory: paths.pods,
    keepImages,
  });
}

/** Loads docker or OCI archives into the node's image store; answers the images' names. */
export async function loadImages(
  dataDirectory: string,
  files: readonly string[],
  { logger }: Pick<AgentDependencies, 'logger'>,
): Promise<string[]> {
  const { containerd } = nodePaths(dataDirectory);
  const archives = imageArchives(containerd, containerdSocket(containerd), logger);
  const names: string[] = [];
  for (const file of files) names.push(...(await archives.load(file)));
  return names;
}

function imageArchives(directory: string, socket: string, logger: Logger) {
  return createImageArchives({ socket, record: `${directory}/loaded-archives.json`, logger });
}

function containerdPlan({ cniPluginDirectory }: NodeLayout, paths: NodePaths): ContainerdPlan {
  return {
    directory: paths.containerd,
    socket: containerdSocket(paths.containerd),
    cniConfigDirectory: paths.cniConfig,
    cniPluginDirectory,
    pauseImage: pauseImageName,
  };
}

function podNetwork({ bridge, clusterCIDR }: NodeLayout, paths: NodePaths): PodNetwork {
  return createPodNetwork({ bridge, clusterCIDR, ipamDirectory: paths.cniState, configDirectory: paths.cniConfig });
}

function ownContainerd(layout: NodeLayout, paths: NodePaths, { clock, logger }: Pick<AgentDependencies, 'clock' | 'logger'>) {
  return createContainerd(containerdPlan(layout, paths), { clock, logger });
}

/** With the images that a node cannot do without. */
async function startContainerd(
  settings: AgentSettings,
  paths: NodePaths,
  architecture: string,
  dependencies: AgentDependencies,
  signal: AbortSignal,
): Promise<string> {
  const containerd = ownContainerd(settings, paths, dependencies);
  await containerd.ensureRunning(signal);
  const archives = imageArchives(paths.containerd, containerd.socket, dependencies.logger);
  await archives.loadPauseImage(architecture);
  await archives.loadAll(paths.imageArchives);
  return `unix://${containerd.socket}`;
}
