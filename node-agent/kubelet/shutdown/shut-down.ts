import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { periodIndexOf, type ShutdownPeriods } from './shutdown-periods.ts';

export const shutdownRefusal = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
const message = 'Pod was terminated in response to imminent node shutdown.';
const lookMs = 100;

/** How a Pod is ended, within so many seconds at most. */
export type EndPod = (worker: PodWorker, graceSeconds: number) => void;

/** The Pod fails, and the API is told why: the machine goes down. */
export const terminatePod: EndPod = (worker, graceSeconds) => worker.end({ reason: 'Terminated', message, graceSeconds });

/** The Pod's containers stop, and the API is told nothing: the next agent starts them again. */
export const suspendPod: EndPod = (worker, graceSeconds) => worker.suspend(graceSeconds);

interface EndPodsOptions {
  readonly periods: ShutdownPeriods;
  readonly end: EndPod;
  readonly clock: Clock;
  /** Called before each period with the Pods that it waits for, and the longest time it may take. */
  readonly onPeriod?: (workers: readonly PodWorker[], seconds: number) => void;
}

/** Ends all Pods in the order of their priorities, none with more time than its period has (KEP-2000, KEP-2712). */
export async function endPods(workers: readonly PodWorker[], { periods, end, clock, onPeriod }: EndPodsOptions): Promise<void> {
  const alive = workers.filter((worker) => !isOver(worker));
  for (const [index, { graceSeconds }] of periods.entries()) {
    const group = alive.filter((worker) => periodIndexOf(worker.pod(), periods) === index);
    if (group.length === 0) continue;
    onPeriod?.(group, graceSeconds);
    await endTogether(group, graceSeconds, end, clock);
  }
}

async function endTogether(workers: readonly PodWorker[], seconds: number, end: EndPod, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + seconds * 1000;
  for (const worker of workers) end(worker, Math.min(worker.pod().spec?.terminationGracePeriodSeconds ?? 30, seconds));
  while (!workers.every(isOver) && clock.monotonicMs() < endMs) await sleep(clock, lookMs);
  // The API is to know what became of them while the machine is away.
  await Promise.race([Promise.all(workers.map((worker) => worker.statusWritten())), sleep(clock, 1000)]);
}

function isOver(worker: PodWorker): boolean {
  return ['terminated', 'removing', 'removed'].includes(worker.state());
}
