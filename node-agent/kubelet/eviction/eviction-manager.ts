import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { UsageReader } from '../../linux/machine/node-usage.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import type { PodWorkers } from '../pods/pod-workers.ts';
import type { NodeStats, NodeStatsSource, PodUsage } from '../stats/node-stats.ts';
import type { PodStorageReader } from '../stats/pod-storage.ts';
import { diskLayout, type DiskLayout, type DiskParts, diskParts, reclaimable } from './disk-layout.ts';
import { evictionMessage } from './messages.ts';
import { calm, type Observation, type Observations, planPressure, type PressureHistory } from './plan-eviction.ts';
import { type Candidate, isCritical, rankPods, resourceOf } from './rank-pods.ts';
import { hasStorageLimits, storageExcess } from './storage-limits.ts';
import {
  type EvictionSettings,
  type NodePressure,
  pressureOf,
  type Signal,
  type Threshold,
  withContainerThresholds,
} from './thresholds.ts';

interface EvictionDependencies {
  readonly settings: EvictionSettings;
  readonly workers: Pick<PodWorkers, 'all'>;
  readonly stats: NodeStatsSource;
  readonly usage: UsageReader;
  readonly storage: PodStorageReader;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly podsDirectory: string;
  /** The folders of images and of writable layers, if the runtime reports them. */
  readonly runtimeDirectories: () => Promise<RuntimeDirectories>;
  /** The cgroup of all Pods. */
  readonly podsCgroup: string;
  /** Frees unused space on the disk. */
  readonly reclaimDisk: (what: { readonly containers: boolean; readonly images: boolean }) => Promise<void>;
  /** `Attempting to reclaim memory`, of the node. */
  readonly onThreshold: (resource: string) => void;
  readonly onEvicted: (signal: string) => void;
  /** Conditions of the node have changed. */
  readonly onPressure: () => void;
}

export interface RuntimeDirectories {
  readonly images?: string;
  readonly layers?: string;
}

interface EvictionManager {
  run(signal: AbortSignal): Promise<void>;
  pressures(): ReadonlySet<NodePressure>;
}

const lookMs = 10_000;
/** The milliseconds to wait for the end of an evicted Pod before another one is evicted. */
const cleanupMs = 30_000;
const cleanupLookMs = 250;
const storageAgeMs = 30_000;
/** A hard threshold leaves no time. */
const immediateGraceSeconds = 1;

/**
 * Keeps the node from running out of memory, disk and processes: evicts one Pod at a time, and Pods that use more of the disk than their
 * limits. Pods are measured only when something is short or limited.
 */
export function createEvictionManager(dependencies: EvictionDependencies): EvictionManager {
  const { settings, clock, logger, onPressure } = dependencies;
  let history: PressureHistory = calm;
  let pressures: ReadonlySet<NodePressure> = new Set();
  let layout: DiskLayout = 'shared';
  const plan = async () => {
    const observed = await observe(dependencies);
    ({ layout } = observed);
    const planned = planPressure(withContainerThresholds(settings.thresholds, layout === 'split'), observed.observations, history, {
      nowMs: clock.monotonicMs(),
      transitionMs: settings.transitionMs,
    });
    history = planned.history;
    const hasChanged = [...planned.pressures].sort().join() !== [...pressures].sort().join();
    pressures = planned.pressures;
    if (hasChanged) onPressure();
    return planned.due;
  };
  const look = async (signal: AbortSignal): Promise<void> => {
    const evicted = await enforceStorageLimits(dependencies);
    let due = await plan();
    if (!due) return awaitEnd(clock, evicted, signal);
    dependencies.onThreshold(resourceOf[due.threshold.signal]);
    if (isOfDisk(due.threshold.signal)) {
      const unused = reclaimable(layout, due.threshold.signal);
      if (unused.containers || unused.images) {
        await dependencies.reclaimDisk(unused);
        due = await plan();
        if (!due) return;
      }
    }
    const gone = evicted.length > 0 ? evicted : await evictOne(dependencies, due.threshold, due.observation, layout);
    await awaitEnd(clock, gone, signal);
  };
  return {
    pressures: () => pressures,
    async run(signal) {
      while (!signal.aborted) {
        await sleep(clock, lookMs, signal).catch(() => undefined); // aborted
        if (signal.aborted) return;
        await look(signal).catch((error: unknown) => {
          if (!signal.aborted) logger.warn('what the node has left could not be looked at', { error });
        });
      }
    },
  };
}

function isOfDisk(signal: Signal): boolean {
  return /^(nodefs|imagefs|containerfs)\./.test(signal);
}

interface Observed {
  readonly observations: Observations;
  readonly layout: DiskLayout;
}

async function observe(dependencies: EvictionDependencies): Promise<Observed> {
  const { usage, files, podsDirectory, podsCgroup, runtimeDirectories } = dependencies;
  const folders = await runtimeDirectories().catch((): RuntimeDirectories => ({})); // the runtime is down, which is another condition
  const [{ memory, processes }, pods, node, image, layers] = await Promise.all([
    usage.node(),
    usage.cgroup(podsCgroup),
    lookAtDisk(files, podsDirectory),
    lookAtDisk(files, folders.images),
    lookAtDisk(files, folders.layers),
  ]);
  const layout = diskLayout(node?.device ?? 0, image?.device, layers?.device);
  const observations = new Map<Signal, Observation>([
    ['memory.available', { available: memory.availableBytes, capacity: memory.capacityBytes }],
    ['pid.available', { available: processes.max - processes.current, capacity: processes.max }],
  ]);
  if (pods?.memoryLimitBytes !== undefined) {
    const available = Math.max(0, pods.memoryLimitBytes - pods.memory.workingSetBytes);
    observations.set('allocatableMemory.available', { available, capacity: available + pods.memory.workingSetBytes });
  }
  const disks = [['nodefs', node] as const, ['imagefs', image] as const, ...(layout === 'split' ? [['containerfs', layers] as const] : [])];
  for (const [name, disk] of disks) {
    if (!disk) continue;
    observations.set(`${name}.available`, { available: disk.availableBytes, capacity: disk.capacityBytes });
    // Some file systems make inodes as they need them.
    if (disk.inodes > 0) observations.set(`${name}.inodesFree`, { available: disk.inodesFree, capacity: disk.inodes });
  }
  return { observations, layout };
}

/** Undefined where there is no such folder, or no more. */
async function lookAtDisk(files: HostFiles, directory: string | undefined) {
  if (directory === undefined) return undefined;
  try {
    const [capacity, facts] = await Promise.all([files.capacity(directory), files.facts(directory)]);
    return facts && { ...capacity, device: facts.deviceNumber };
  } catch {
    return undefined;
  }
}

type ActiveWorker = PodWorker;

function activeWorkers({ workers }: EvictionDependencies): ActiveWorker[] {
  return workers.all().filter((worker) => !['terminating', 'terminated', 'removing', 'removed'].includes(worker.state()));
}

async function evictOne(
  dependencies: EvictionDependencies,
  threshold: Threshold,
  observation: Observation,
  layout: DiskLayout,
): Promise<ActiveWorker[]> {
  const { settings, logger, onEvicted } = dependencies;
  const { signal } = threshold;
  const stats = await dependencies.stats.read();
  const active = activeWorkers(dependencies);
  const candidates: Candidate[] = [];
  for (const worker of active) {
    const pod = worker.pod();
    if (!isCritical(pod)) candidates.push({ pod, usage: sum(await usageOf(dependencies, stats, pod, signal, diskParts(layout, signal))) });
  }
  const [first] = rankPods(candidates, signal);
  const worker = first && active.find((one) => one.pod() === first.pod);
  if (!first || !worker) {
    logger.warn('nothing can be evicted', { signal });
    return [];
  }
  const own = first.pod.spec?.terminationGracePeriodSeconds ?? 30;
  const graceSeconds = threshold.graceMs === 0 ? immediateGraceSeconds : Math.min(settings.maxPodGraceSeconds, own);
  const usages = await usageOf(dependencies, stats, first.pod, signal, { layers: true, writes: true });
  worker.end({ reason: 'Evicted', message: evictionMessage(threshold, observation, first.pod, usages), graceSeconds });
  onEvicted(signal);
  return [worker];
}

function sum(usages: ReadonlyMap<string, number>): number {
  return [...usages.values()].reduce((total, usage) => total + usage, 0);
}

/** A Pod's usage of the signal's resource, by container; its volumes under ''. `parts`: the parts of the disk that count. */
async function usageOf(
  { storage }: EvictionDependencies,
  stats: NodeStats,
  pod: DeepReadonly<Pod>,
  signal: Signal,
  parts: DiskParts,
): Promise<Map<string, number>> {
  const usages = new Map<string, number>();
  const measured = stats.pods.find(({ uid }) => uid === pod.metadata.uid);
  if (!measured) return usages;
  if (signal === 'pid.available') return usages.set('', measured.processes);
  const isOfMemory = pressureOf[signal] === 'MemoryPressure';
  for (const { name, memory, layerBytes, layerInodes } of measured.containers) {
    if (isOfMemory) usages.set(name, memory?.workingSetBytes ?? 0);
    else if (parts.layers) usages.set(name, signal.endsWith('inodesFree') ? layerInodes : layerBytes);
  }
  if (isOfMemory || !parts.writes) return usages;
  const { volumes, logs } = await storage.read(pod, storageAgeMs);
  const of = (usage: { readonly bytes: number; readonly inodes: number }) => (signal.endsWith('inodesFree') ? usage.inodes : usage.bytes);
  for (const [name, log] of logs) usages.set(name, (usages.get(name) ?? 0) + of(log));
  const local = volumes.filter(({ isLocal }) => isLocal);
  return usages.set(
    '',
    local.reduce((total, volume) => total + of(volume), 0),
  );
}

async function enforceStorageLimits(dependencies: EvictionDependencies): Promise<ActiveWorker[]> {
  const { storage, stats, onEvicted } = dependencies;
  const limited = activeWorkers(dependencies).filter((worker) => hasStorageLimits(worker.pod()));
  if (limited.length === 0) return [];
  const measured = new Map((await stats.read()).pods.map((pod) => [pod.uid, pod]));
  const evicted: ActiveWorker[] = [];
  for (const worker of limited) {
    const pod = worker.pod();
    const message = storageExcess(pod, await storage.read(pod, storageAgeMs), layersOf(measured.get(pod.metadata.uid ?? '')));
    if (message === undefined || isCritical(pod)) continue;
    worker.end({ reason: 'Evicted', message, graceSeconds: immediateGraceSeconds });
    onEvicted(message.startsWith('Usage of EmptyDir') ? 'emptydirfs.limit' : 'ephemeralpodfs.limit');
    evicted.push(worker);
  }
  return evicted;
}

function layersOf(measured: PodUsage | undefined): Map<string, number> {
  return new Map((measured?.containers ?? []).map(({ name, layerBytes }) => [name, layerBytes]));
}

/** Waits until the resources of evicted Pods are free, before more are evicted. */
async function awaitEnd(clock: Clock, evicted: readonly ActiveWorker[], signal: AbortSignal): Promise<void> {
  const end = clock.monotonicMs() + cleanupMs;
  const isLeft = () => evicted.some((worker) => !['terminated', 'removing', 'removed'].includes(worker.state()));
  while (isLeft() && clock.monotonicMs() < end && !signal.aborted) await sleep(clock, cleanupLookMs, signal).catch(() => undefined); // aborted
}
