import { type Clock, sleep } from '../../api/base/clock.ts';
import { isCritical } from './eviction/rank-pods.ts';
import type { PodWorker } from './pod-workers/pod-worker.ts';

export interface ShutdownSettings {
  /** For all Pods together; 0: Pods are left running. */
  readonly graceSeconds: number;
  /** The end of it, which critical Pods have for themselves. */
  readonly criticalGraceSeconds: number;
}

export const shutdownRefusal = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
const message = 'Pod was terminated in response to imminent node shutdown.';
const lookMs = 100;

/** Ends all Pods before the machine goes down: critical ones last, none with more time than is left (KEP-2000). */
export async function endPods(
  workers: readonly PodWorker[],
  { graceSeconds, criticalGraceSeconds }: ShutdownSettings,
  clock: Clock,
): Promise<void> {
  const alive = workers.filter((worker) => !['terminated', 'removing', 'removed'].includes(worker.state()));
  const isLast = (worker: PodWorker) => isCritical(worker.pod());
  await endTogether(
    alive.filter((worker) => !isLast(worker)),
    graceSeconds - criticalGraceSeconds,
    clock,
  );
  await endTogether(alive.filter(isLast), criticalGraceSeconds, clock);
}

async function endTogether(workers: readonly PodWorker[], seconds: number, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + seconds * 1000;
  for (const worker of workers) {
    const own = worker.pod().spec?.terminationGracePeriodSeconds ?? 30;
    worker.end({ reason: 'Terminated', message, graceSeconds: Math.min(own, seconds) });
  }
  const isLeft = () => workers.some((worker) => !['terminated', 'removing', 'removed'].includes(worker.state()));
  while (isLeft() && clock.monotonicMs() < endMs) await sleep(clock, lookMs);
  // What became of them is to be known after the machine is back.
  await Promise.race([Promise.all(workers.map((worker) => worker.statusWritten())), sleep(clock, 1000)]);
}
