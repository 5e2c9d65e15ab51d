import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/host-files.ts';
import type { UsageReader } from '../../linux/node-usage.ts';
import type { PodWorker } from '../pod-workers/pod-worker.ts';
import type { PodWorkers } from '../pod-workers/pod-workers.ts';
import type { NodeStats, NodeStatsSource, PodUsage } from '../stats/node-stats.ts';
import type { PodStorageReader } from '../stats/pod-storage.ts';
import { evictionMessage } from './messages.ts';
import { calm, type Observation, type Observations, planPressure, type PressureHistory } from './plan-eviction.ts';
import { type Candidate, isCritical, rankPods, resourceOf } from './rank-pods.ts';
import { hasStorageLimits, storageExcess } from './storage-limits.ts';
import type { EvictionSettings, NodePressure, Signal, Threshold } from './thresholds.ts';

export interface EvictionDependencies {
  readonly settings: EvictionSettings;
  readonly workers: Pick<PodWorkers, 'all'>;
  readonly stats: NodeStatsSource;
  readonly usage: UsageReader;
  readonly storage: PodStorageReader;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly podsDirectory: string;
  /** Where images lie, if the runtime says so. */
  readonly imageDirectory: () => Promise<string | undefined>;
  /** Frees what nobody uses on the disk: images and dead containers. */
  readonly reclaimDisk: () => Promise<void>;
  /** `Attempting to reclaim memory`, of the node. */
  readonly onThreshold: (resource: string) => void;
  readonly onEvicted: (signal: string) => void;
  /** Conditions of the node have changed. */
  readonly onPressure: () => void;
}

export interface EvictionManager {
  run(signal: AbortSignal): Promise<void>;
  pressures(): ReadonlySet<NodePressure>;
}

const lookMs = 10_000;
/** How long the end of an evicted Pod is waited for before another one goes. */
const cleanupMs = 30_000;
const cleanupLookMs = 250;
const storageAgeMs = 30_000;
/** A hard threshold leaves no time. */
const immediateGraceSeconds = 1;

/**
 * Keeps the node from running out of memory, disk and processes: one Pod at a time has to go, and those that keep more on
 * the disk than they may. Pods are measured only when something is short or limited.
 */
export function createEvictionManager(dependencies: EvictionDependencies): EvictionManager {
  const { settings, clock, logger, onPressure } = dependencies;
  let history: PressureHistory = calm;
  let pressures: ReadonlySet<NodePressure> = new Set();
  const plan = async () => {
    const observations = await observe(dependencies);
    const planned = planPressure(settings.thresholds, observations, history, {
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
      await dependencies.reclaimDisk();
      due = await plan();
      if (!due) return;
    }
    const gone = evicted.length > 0 ? evicted : await evictOne(dependencies, due.threshold, due.observation);
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
  return signal.startsWith('nodefs') || signal.startsWith('imagefs');
}

async function observe({ usage, files, podsDirectory, imageDirectory }: EvictionDependencies): Promise<Observations> {
  const images = await imageDirectory().catch(() => undefined); // the runtime is down, which is another condition
  const [{ memory, processes }, node, image] = await Promise.all([
    usage.node(),
    files.capacity(podsDirectory),
    images === undefined ? undefined : files.capacity(images).catch(() => undefined),
  ]);
  const observations = new Map<Signal, Observation>([
    ['memory.available', { available: memory.availableBytes, capacity: memory.capacityBytes }],
    ['nodefs.available', { available: node.availableBytes, capacity: node.capacityBytes }],
    ['pid.available', { available: processes.max - processes.current, capacity: processes.max }],
  ]);
  // Some file systems make inodes as they need them.
  if (node.inodes > 0) observations.set('nodefs.inodesFree', { available: node.inodesFree, capacity: node.inodes });
  if (image) {
    observations.set('imagefs.available', { available: image.availableBytes, capacity: image.capacityBytes });
    if (image.inodes > 0) observations.set('imagefs.inodesFree', { available: image.inodesFree, capacity: image.inodes });
  }
  return observations;
}

type ActiveWorker = PodWorker;

function activeWorkers({ workers }: EvictionDependencies): ActiveWorker[] {
  return workers.all().filter((worker) => !['terminating', 'terminated', 'removing', 'removed'].includes(worker.state()));
}

async function evictOne(dependencies: EvictionDependencies, threshold: Threshold, observation: Observation): Promise<ActiveWorker[]> {
  const { settings, logger, onEvicted } = dependencies;
  const stats = await dependencies.stats.read();
  const active = activeWorkers(dependencies);
  const candidates: Candidate[] = [];
  for (const worker of active) {
    const pod = worker.pod();
    if (!isCritical(pod)) candidates.push({ pod, usage: sum(await usageOf(dependencies, stats, pod, threshold.signal)) });
  }
  const [first] = rankPods(candidates, threshold.signal);
  const worker = first && active.find((one) => one.pod() === first.pod);
  if (!first || !worker) {
    logger.warn('nothing can be evicted', { signal: threshold.signal });
    return [];
  }
  const own = first.pod.spec?.terminationGracePeriodSeconds ?? 30;
  const graceSeconds = threshold.graceMs === 0 ? immediateGraceSeconds : Math.min(settings.maxPodGraceSeconds, own);
  const message = evictionMessage(threshold, observation, first.pod, await usageOf(dependencies, stats, first.pod, threshold.signal));
  worker.end({ reason: 'Evicted', message, graceSeconds });
  onEvicted(threshold.signal);
  return [worker];
}

function sum(usages: ReadonlyMap<string, number>): number {
  return [...usages.values()].reduce((total, usage) => total + usage, 0);
}

/** Of what the signal is about, by container; volumes under ''. */
async function usageOf(
  { storage }: EvictionDependencies,
  stats: NodeStats,
  pod: DeepReadonly<Pod>,
  signal: Signal,
): Promise<Map<string, number>> {
  const usages = new Map<string, number>();
  const measured = stats.pods.find(({ uid }) => uid === pod.metadata.uid);
  if (!measured) return usages;
  if (signal === 'pid.available') return usages.set('', measured.processes);
  for (const { name, memory, layerBytes, layerInodes } of measured.containers) {
    if (signal === 'memory.available') usages.set(name, memory?.workingSetBytes ?? 0);
    else usages.set(name, signal.endsWith('inodesFree') ? layerInodes : layerBytes);
  }
  if (signal === 'memory.available') return usages;
  const { volumes, logs } = await storage.read(pod, storageAgeMs);
  const of = (usage: { readonly bytes: number; readonly inodes: number }) => (signal.endsWith('inodesFree') ? usage.inodes : usage.bytes);
  // Images and writable layers may lie elsewhere than what Pods write beside them.
  if (signal.startsWith('nodefs') || stats.imageFs === undefined) {
    for (const [name, log] of logs) usages.set(name, (usages.get(name) ?? 0) + of(log));
    usages.set(
      '',
      volumes.filter(({ isLocal }) => isLocal).reduce((total, volume) => total + of(volume), 0),
    );
  }
  return usages;
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

/** Before more go, what these had is to be free. */
async function awaitEnd(clock: Clock, evicted: readonly ActiveWorker[], signal: AbortSignal): Promise<void> {
  const end = clock.monotonicMs() + cleanupMs;
  const isLeft = () => evicted.some((worker) => !['terminated', 'removing', 'removed'].includes(worker.state()));
  while (isLeft() && clock.monotonicMs() < end && !signal.aborted) await sleep(clock, cleanupLookMs, signal).catch(() => undefined); // aborted
}
