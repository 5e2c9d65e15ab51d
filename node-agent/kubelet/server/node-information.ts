import type { Clock } from '../../../api/base/clock.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { UsageReader } from '../../linux/machine/node-usage.ts';
import type { PressureReader } from '../../linux/machine/pressure.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { CgroupNames } from '../../linux/cgroups/cgroup-names.ts';
import type { MachineFacts } from '../../linux/machine/machine.ts';
import type { ProcessFacts } from '../../linux/processes/processes.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import { nanosToMs } from '../runtime/runtime-pod.ts';
import { podCgroupName } from '../resources/pod-resources.ts';
import { cadvisorMetrics } from '../stats/cadvisor-metrics.ts';
import { kubeletMetrics } from './kubelet-metrics.ts';
import { type MetricFamily, renderFamilies } from '../stats/metric-text.ts';
import { createRates, type NodeStats, type NodeStatsSource, type Rates } from '../stats/node-stats.ts';
import { type Pressures, readPressures } from '../stats/pressures.ts';
import { systemContainers, type SystemUsage } from '../stats/system-containers.ts';
import type { PodStorageReader, PodStorageUsage } from '../stats/pod-storage.ts';
import { resourceMetrics, resourceUsageOf, type ResourceUsage } from '../stats/resource-metrics.ts';
import { readResourceUsage } from '../stats/resource-usage.ts';
import { shareReadings } from '../stats/share-readings.ts';
import { type ClaimUsage, volumeMetrics } from '../stats/volume-metrics.ts';
import { statsSummary } from '../stats/summary.ts';
import type { Tallies } from '../stats/tallies.ts';

interface NodeInformationDependencies {
  readonly workers: PodWorkers;
  readonly runtime: ContainerRuntime;
  readonly stats: NodeStatsSource;
  readonly usage: UsageReader;
  readonly pressure: PressureReader;
  readonly systemUsage: () => Promise<SystemUsage>;
  readonly clock: Clock;
  readonly storage: PodStorageReader;
  readonly tallies: Tallies;
  readonly machine: MachineFacts;
  readonly self: () => ProcessFacts;
  readonly nodeName: string;
  readonly cgroupNames: CgroupNames;
  /** The time of the agent's start, milliseconds since the Unix epoch. */
  readonly startedMs: number;
  readonly version: string;
  /** The KubeletConfiguration of /configz. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The agent's own faults that keep the node from running Pods. */
  readonly syncProblem: () => string | undefined;
  /** When the runtime was last heard of, milliseconds since the Unix epoch. */
  readonly lastSeenMs: () => number | undefined;
}

interface Document {
  readonly status?: number;
  readonly contentType: string;
  readonly text: string;
}

/** The documents of the kubelet's API about the node, by path: the parts of a GET. Undefined: no such path. */
export type NodeInformation = (path: readonly string[]) => Promise<Document | undefined>;

const plainText = 'text/plain; charset=utf-8';
const metricsText = 'text/plain; version=0.0.4; charset=utf-8';
/** Walking through folders is work: the summary uses results of up to this age. */
const storageAgeMs = 60_000;

export function createNodeInformation(dependencies: NodeInformationDependencies): NodeInformation {
  const { workers, stats } = dependencies;
  const rates = createRates();
  const readResources = shareReadings(() => resourceUsage(dependencies), dependencies.clock);
  const json = (value: unknown): Document => ({ contentType: 'application/json', text: JSON.stringify(value) });
  const metrics = (families: readonly MetricFamily[]): Document => ({ contentType: metricsText, text: renderFamilies(families) });
  const routes: Readonly<Record<string, () => Promise<Document> | Document>> = {
    healthz: () => health(dependencies),
    'healthz/ping': () => ({ contentType: plainText, text: 'ok' }),
    'healthz/log': () => ({ contentType: plainText, text: 'ok' }),
    'healthz/syncloop': () => health(dependencies),
    pods: () => json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: workers.all().map((worker) => worker.pod()) }),
    runningpods: async () => json(await runningPods(dependencies.runtime)),
    configz: () => json({ kubeletconfig: dependencies.configuration }),
    metrics: async () => metrics([...ownMetrics(dependencies), ...(await claimMetrics(dependencies))]),
    'metrics/probes': () => metrics(dependencies.tallies.probeFamilies()),
    'metrics/resource': async () => metrics(resourceMetrics(await readResources().catch(() => undefined))),
    'metrics/cadvisor': async () => {
      const { machine, cgroupNames } = dependencies;
      const measured = await stats.read();
      const cgroupOf = cgroupsOf(dependencies);
      const pressures = await pressuresOf(measured, dependencies);
      return metrics(cadvisorMetrics({ stats: measured, machine, cgroupRoot: cgroupNames.root, cgroupOf, pressures }));
    },
    'stats/summary': async () => json(await summary(dependencies, rates)),
  };
  return async (path) => routes[path.join('/')]?.();
}

async function resourceUsage(dependencies: NodeInformationDependencies): Promise<ResourceUsage> {
  return (await readResourceUsage(dependencies)) ?? resourceUsageOf(await dependencies.stats.read());
}

function health({ syncProblem }: NodeInformationDependencies): Document {
  const problem = syncProblem();
  if (problem === undefined) return { contentType: plainText, text: 'ok' };
  return { status: 500, contentType: plainText, text: `[+]ping ok\n[+]log ok\n[-]syncloop failed: ${problem}\nhealthz check failed\n` };
}

function ownMetrics(dependencies: NodeInformationDependencies): MetricFamily[] {
  const { lastSeenMs, startedMs, self } = dependencies;
  const seenMs = lastSeenMs();
  return kubeletMetrics({
    ...dependencies,
    lastSeenSeconds: seenMs === undefined ? undefined : seenMs / 1000,
    self: { startedMs, ...self() },
  });
}

async function claimMetrics({ workers, storage }: NodeInformationDependencies): Promise<MetricFamily[]> {
  const claims: ClaimUsage[] = [];
  for (const worker of workers.all()) {
    const { namespace = '' } = worker.pod().metadata;
    for (const { claim, fileSystem } of await storage.claims(worker.pod(), worker.volumePath))
      if (claim !== undefined && fileSystem) claims.push({ namespace, claim, fileSystem });
  }
  return volumeMetrics(claims);
}

function cgroupsOf({ workers, cgroupNames }: NodeInformationDependencies): (uid: string) => string | undefined {
  return (uid) => {
    const pod = workers.find(uid)?.pod();
    return pod && podCgroupName(cgroupNames, pod);
  };
}

function pressuresOf(stats: NodeStats, dependencies: NodeInformationDependencies): Promise<Pressures> {
  const { pressure: reader, cgroupNames } = dependencies;
  return readPressures({ stats, reader, cgroupRoot: cgroupNames.root, cgroupOf: cgroupsOf(dependencies) });
}

async function summary(dependencies: NodeInformationDependencies, rates: Rates): Promise<unknown> {
  const { stats, storage, workers, nodeName, startedMs } = dependencies;
  const measured = await stats.read();
  const storages = new Map<string, PodStorageUsage>();
  for (const { uid } of measured.pods) {
    const worker = workers.find(uid);
    if (!worker) continue;
    const { volumes, logs } = await storage.read(worker.pod(), storageAgeMs);
    storages.set(uid, { volumes: [...volumes, ...(await storage.claims(worker.pod(), worker.volumePath))], logs });
  }
  const [pressures, systems] = await Promise.all([pressuresOf(measured, dependencies), dependencies.systemUsage()]);
  const { timeMs } = measured;
  const own = systemContainers(systems, timeMs, (name, total) => rates.rate(name, timeMs, total));
  rates.sweep();
  return statsSummary({
    stats: measured,
    pressures,
    systemContainers: own,
    nodeName,
    startedMs,
    startOf: (uid) => {
      const pod = workers.find(uid)?.pod();
      return pod?.status?.startTime ?? pod?.metadata.creationTimestamp ?? undefined;
    },
    storageOf: (uid) => storages.get(uid),
  });
}

/** The runtime's Pods, in the shape of Pods. */
async function runningPods(runtime: ContainerRuntime): Promise<unknown> {
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
  const items = sandboxes
    .filter(({ state }) => state === 'SANDBOX_READY')
    .map(({ id, metadata, labels, created_at }) => ({
      metadata: {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: labels[runtimeLabels.podUID] ?? metadata.uid,
        creationTimestamp: formatTime(nanosToMs(created_at)),
      },
      spec: {
        containers: containers
          .filter(({ pod_sandbox_id, state }) => pod_sandbox_id === id && state === 'CONTAINER_RUNNING')
          .map(({ metadata: { name }, image_ref }) => ({ name, image: image_ref, resources: {} })),
      },
      status: {},
    }));
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}
