import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { periodIndexOf, type ShutdownPeriods } from './shutdown-periods.ts';

export const shutdownRefusal = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
const message = 'Pod was terminated in response to imminent node shutdown.';
const lookMs = 100;
/** The milliseconds to wait for statuses once the Pods have ended: a slow API server takes seconds, and one that is gone never answers. */
const statusPatienceMs = 10_000;
/** The milliseconds by which the wait may exceed the Pods' time: less than the additional delay of the machine's shutdown. */
const overtimeMs = 4000;

/** Ends a Pod within so many seconds. */
export type EndPod = (worker: PodWorker, graceSeconds: number) => void;

/** Ends the Pod with phase Failed and the reason that the machine shuts down. */
export const terminatePod: EndPod = (worker, graceSeconds) => worker.end({ reason: 'Terminated', message, graceSeconds });

/** Stops the Pod's containers without a change in the API: the next agent starts them again. */
export const suspendPod: EndPod = (worker, graceSeconds) => worker.suspend(graceSeconds);

interface EndPodsOptions {
  readonly periods: ShutdownPeriods;
  readonly end: EndPod;
  readonly clock: Clock;
  /** Called before each period with the Pods that it waits for, and the longest time it may take. */
  readonly onPeriod?: (workers: readonly PodWorker[], seconds: number) => void;
}

/**
 * Ends all Pods in the order of their priorities, none later than its period allows (KEP-2000, KEP-2712), and waits until their statuses
 * are written.
 */
export async function endPods(workers: readonly PodWorker[], { periods, end, clock, onPeriod }: EndPodsOptions): Promise<void> {
  const alive = workers.filter((worker) => !isOver(worker));
  let endMs = clock.monotonicMs();
  for (const [index, { graceSeconds }] of periods.entries()) {
    const group = alive.filter((worker) => periodIndexOf(worker.pod(), periods) === index);
    if (group.length === 0) continue;
    onPeriod?.(group, graceSeconds);
    endMs = clock.monotonicMs() + graceSeconds * 1000;
    for (const worker of group) end(worker, Math.min(worker.pod().spec?.terminationGracePeriodSeconds ?? 30, graceSeconds));
    await untilOver(group, endMs, clock);
    // The API server may be one of the next Pods.
    await untilTold(group, endMs, clock);
  }
  if (periods.length === 0) return;
  await untilOver(alive, endMs + overtimeMs, clock);
  await untilTold(alive, endMs + overtimeMs, clock);
}

async function untilOver(workers: readonly PodWorker[], endMs: number, clock: Clock): Promise<void> {
  while (!workers.every(isOver) && clock.monotonicMs() < endMs) await sleep(clock, lookMs);
}

/** Waits until the API has the statuses of the Pods: they must not be lost with the machine. */
async function untilTold(workers: readonly PodWorker[], endMs: number, clock: Clock): Promise<void> {
  const patienceMs = Math.min(statusPatienceMs, endMs - clock.monotonicMs());
  if (patienceMs <= 0) return;
  await Promise.race([Promise.all(workers.map((worker) => worker.statusWritten())), sleep(clock, patienceMs)]);
}

function isOver(worker: PodWorker): boolean {
  return ['terminated', 'removing', 'removed'].includes(worker.state());
}
