import { type Clock, sleep } from '../../api/base/clock.ts';
import type { DeepReadonly } from '../../api/base/deep-readonly.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Client } from '../../api/client/client.ts';
import { createEventRecorder } from '../../api/client/events/event-recorder.ts';
import { createInformerFactory } from '../../api/client/informers/informer-factory.ts';
import { clusterDNSPort } from '../../api/semantics/services/cluster-dns.ts';
import { familiesOf } from '../../api/semantics/services/ip-family.ts';
import type { PodNetworkMode } from '../../api/semantics/nodes/node-configuration.ts';
import type { Pod } from '../../api/types/core-v1.ts';
import { hostPortTables } from './cni/host-ports.ts';
import { createIPProgram } from './cni/ip-program.ts';
import type { PodNetwork } from './cni/pod-network.ts';
import { createPodPorts } from './cni/pod-ports.ts';
import { createPortGuard } from './cni/port-guard.ts';
import { portTable } from './cni/port-rules.ts';
import { createRouteWatch } from './cni/route-watch.ts';
import { runPodNetwork } from './cni/run-pod-network.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { absenceTable, renderAbsenceRules } from './dns/absence-rules.ts';
import { type ClusterDNS, createClusterDNS } from './dns/cluster-dns.ts';
import type { Upstream } from './dns/forward/exchange.ts';
import { createConntrack } from '../linux/nft/conntrack.ts';
import { createHostFiles } from '../linux/files/host-files.ts';
import { readResolverConfiguration } from '../linux/machine/resolver-configuration.ts';
import { createNodePortAddresses } from '../linux/machine/machine-addresses.ts';
import { type FollowedProgram, followProgram } from '../linux/processes/follow-program.ts';
import type { TableWatch } from '../linux/nft/table-watch.ts';
import { createNetworkPolicies, type PodStart, type RunningSandbox } from './policy/network-policies.ts';
import { createProxyMetrics } from './proxy/health/proxy-metrics.ts';
import { proxyHealthzPort, proxyMetricsPort, runProxyServer } from './proxy/health/proxy-server.ts';
import { bridgePolicyTable, policyTable } from './policy/policy-table.ts';
import { tableOf } from './proxy/nftables/base-table.ts';
import { createProxy } from './proxy/proxy.ts';
import { parseResolvConf } from '../linux/machine/parse-resolv-conf.ts';

interface NodeNetworkSettings {
  /** The range of all Pods of the cluster: one range, or one of each family separated by a comma. */
  readonly clusterCIDR: string;
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** Absolute, or empty for none; see readResolverConfiguration. */
  readonly resolvConf?: string;
  /** The value of kube-proxy's flag of this name: `primary`, or CIDRs. */
  readonly nodePortAddresses: readonly string[];
  readonly podNetwork: PodNetworkMode;
}

interface NetworkReport {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly checkNode: () => void;
}

interface NodeNetworkDependencies extends NetworkReport {
  readonly client: Client;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
  readonly podNetwork: PodNetwork;
  /** Through whose nft everything is written, that of podNetwork too. */
  readonly tables: TableWatch;
}

interface NodeNetwork {
  /** Runs until the signal is aborted; rules and routes stay. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when NetworkPolicies hold for a Pod that has just been given its addresses. */
  isolatePod(pod: DeepReadonly<Pod>, addresses: readonly string[], start: PodStart): Promise<void>;
  /** The Pod has no sandbox any more. */
  releasePod(uid: string): void;
}

/** The Pod network of a node, its Service proxy, NetworkPolicies and cluster DNS. They read the cluster through their own informers. */
export function createNodeNetwork(settings: NodeNetworkSettings, dependencies: NodeNetworkDependencies): NodeNetwork {
  const { client, clock, random, nodeName, nodeIPs, tables } = dependencies;
  const { nft } = tables;
  const logger = dependencies.logger.with({ part: 'network' });
  const informers = createInformerFactory({ client, clock, random, logger });
  const shared = { informers, nodeName, clock, random, logger };
  const { podNetwork: mode } = settings;
  const ports = createPodPorts();
  const guard = mode === 'external' ? undefined : createPortGuard({ nft, ports, clock, logger });
  const policies =
    mode === 'external'
      ? undefined
      : createNetworkPolicies({
          ...{ ...shared, nft, ports },
          listSandboxes: () => listSandboxes(dependencies.runtime),
          dns: { addresses: [...settings.clusterDNS, ...nodeIPs], port: clusterDNSPort },
        });
  if (guard) tables.onLost(portTable, guard.rewrite);
  if (policies) for (const table of [policyTable, bridgePolicyTable]) tables.onLost(table, policies.rewrite);
  const clusterCIDRs = settings.clusterCIDR.split(',');

  const follow = (program: FollowedProgram, signal: AbortSignal) => followProgram(program, shared, signal);
  const runProxy = async (signal: AbortSignal) => {
    const families = familiesOf([...clusterCIDRs, ...nodeIPs]);
    const metrics = createProxyMetrics({ clock, families });
    const proxy = createProxy({
      ...shared,
      families,
      nodePortAddresses: createNodePortAddresses(settings.nodePortAddresses, nodeIPs),
      clusterCIDRs,
      nft,
      conntrack: createConntrack(),
      events: createEventRecorder({ client, clock, logger, component: 'kube-proxy', host: nodeName, signal }),
      onSync: metrics.observe,
      onForgotten: metrics.observeForgotten,
    });
    for (const family of families) tables.onLost(tableOf(family), () => proxy.distrust(family));
    // All addresses, of the families that the node has.
    const address = familiesOf(nodeIPs).includes('IPv6') ? '::' : '0.0.0.0';
    const healthz = { address, port: proxyHealthzPort };
    const metricsEndpoint = { address: '127.0.0.1', port: proxyMetricsPort };
    await Promise.all([proxy.run(signal), runProxyServer({ ...shared, proxy, metrics, healthz, metricsEndpoint }, signal)]);
  };
  const runDNS = async (signal: AbortSignal) => {
    const [serviceAddress] = settings.clusterDNS;
    const dns = createClusterDNS({
      ...shared,
      clusterDomain: settings.clusterDomain,
      ...(serviceAddress === undefined ? {} : { serviceAddress }),
      listen: nodeIPs.map((address) => ({ address, port: clusterDNSPort })),
      allowedSources: clusterCIDRs,
      upstreams: await hostResolvers(settings),
    });
    const writeRules = () => nft.apply(renderAbsenceRules(clusterDNSPort));
    const rewrite = () => writeRules().catch((error: unknown) => logger.error('the rules of cluster DNS cannot be written', { error }));
    tables.onLost(absenceTable, () => void rewrite());
    await writeRules();
    await Promise.all([dns.run(signal), followResolvers(dns, settings, clock, signal)]);
  };
  const runPods = async (signal: AbortSignal) => {
    if (mode === 'external') return;
    const onInstalled = (until: AbortSignal) => reportNetwork(dependencies, until);
    const restore = () => restorePorts(dependencies).catch((error: unknown) => logger.error('host ports cannot be made again', { error }));
    for (const table of hostPortTables) tables.onLost(table, () => void restore(), { isOurs: false });
    const watch = createRouteWatch({ follow, clock });
    const parts = { nodeIPs, mode, network: dependencies.podNetwork, ip: createIPProgram(), watch, tables, onInstalled };
    await Promise.all([watch.run(signal), runPodNetwork({ ...shared, ...parts }, signal)]);
  };
  return {
    async run(signal) {
      // The parts ask for their informers before these start.
      const parts = [runProxy(signal), runPods(signal), runDNS(signal), policies?.run(signal), guard?.run(signal), tables.run(signal)];
      await Promise.all([...parts, informers.run(signal)]);
    },
    isolatePod: async (...pod) => void (await Promise.all([guard?.protect(), policies?.isolate(...pod)])),
    releasePod: (uid) => policies?.release(uid),
  };
}

async function listSandboxes(runtime: ContainerRuntime): Promise<RunningSandbox[]> {
  const sandboxes = await runtime.listPodSandboxes();
  const running = sandboxes.filter(({ state }) => state === 'SANDBOX_READY');
  return running.map(({ id, metadata: { namespace, name, uid }, labels }) => ({ id, namespace, name, uid, labels }));
}

async function restorePorts({ runtime, podNetwork }: NodeNetworkDependencies): Promise<void> {
  const ready = (await runtime.listPodSandboxes()).filter(({ state }) => state === 'SANDBOX_READY');
  await podNetwork.restoreHostPorts(new Set(ready.map(({ id }) => id)));
}

const networkCheckMs = 20;
const networkChecks = 250;

/** The runtime notices its configuration a moment after it was written: the node is ready then, and not only at the next regular look. */
async function reportNetwork({ runtime, clock, checkNode }: NetworkReport, signal: AbortSignal): Promise<void> {
  for (let checks = 0; checks < networkChecks; checks++) {
    const conditions = await runtime.status().catch(() => []);
    if (conditions.some(({ type, status }) => type === 'NetworkReady' && status)) break;
    await sleep(clock, networkCheckMs, signal);
  }
  checkNode();
}

const resolversRereadMs = 10_000;

/** Servers change with the network that the machine is in, and at boot may not be known yet. Those that are gone are kept until others come. */
async function followResolvers(
  dns: Pick<ClusterDNS, 'useUpstreams'>,
  settings: NodeNetworkSettings,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let known = '';
  while (!signal.aborted) {
    await sleep(clock, resolversRereadMs, signal).catch(() => undefined); // aborted
    const upstreams = await hostResolvers(settings).catch(() => []); // cannot be read now
    const now = JSON.stringify(upstreams);
    if (upstreams.length > 0 && now !== known) dns.useUpstreams(upstreams);
    if (upstreams.length > 0) known = now;
  }
}

/** The servers that the machine asks, but for the cluster's own, which would ask itself. */
async function hostResolvers({ clusterDNS, resolvConf }: NodeNetworkSettings): Promise<Upstream[]> {
  const { servers } = parseResolvConf((await readResolverConfiguration(createHostFiles(), resolvConf)).text);
  return servers.filter((address) => !clusterDNS.includes(address)).map((address) => ({ address, port: 53 }));
}
