import { findContainer } from '../../../../api/semantics/pods/pod-containers.ts';
import { killContainer } from '../kill-container.ts';
import { addressesOf } from '../pod-addresses.ts';
import { collectDeadContainers } from '../collect-dead-containers.ts';
import type { PodContext, PodState, PodStep } from '../pod-state.ts';
import { crashKey, planFor } from '../pod-plan.ts';
import type { Wait } from '../plan-containers.ts';
import { resizeContainers } from '../resize-pod.ts';
import { startContainer } from '../start-container.ts';
import { VolumeError } from '../../volumes/volume-error.ts';

/** How often content of volumes is looked after without any sign of change: tokens grow old. */
const volumeRefreshMs = 60_000;
/** How soon a resize that failed is tried again. */
const resizeRetryMs = 10_000;

/** Runs the init containers, then all others, and restarts them by the restart policy, until all have ended or the Pod is deleted. */
export const running: PodState = async (context) => {
  const { pod, record, runtimePod } = context;
  forgetRemoved(record.restarting, runtimePod);
  if (record.volumesAreStale || record.volumes === undefined) await refreshVolumes(context);
  const plan = planFor(context);
  if (plan.kind === 'sandbox') return { to: 'sandboxing', againAfterMs: 0 };
  if (plan.kind === 'finished') {
    record.isFinished = true;
    record.termination ??= { graceSeconds: pod.spec?.terminationGracePeriodSeconds ?? 30, reason: 'finished' };
    return { to: 'terminating', againAfterMs: 0 };
  }
  if (plan.kills.length > 0) {
    const before = record.restarting.size;
    for (const { id, restarts } of plan.kills) if (restarts) record.restarting.add(id);
    await Promise.all(plan.kills.map((kill) => killContainer(context, { ...kill, graceSeconds: graceOf(context, kill.name) })));
    return { to: 'running', againAfterMs: 0, isRestarting: record.restarting.size > before };
  }
  const restartedBefore = record.restarting.size;
  if (await resizeContainers(context)) return { to: 'running', againAfterMs: 0, isRestarting: record.restarting.size > restartedBefore };
  noteWaits(context, plan.waits);
  const nowMs = context.services.clock.nowMs();
  const due = plan.starts.filter((name) => (record.retryAtMs.get(name) ?? 0) <= nowMs);
  let hasStarted = false;
  for (const name of due) {
    const container = findContainer(pod.spec, name);
    if (container && !context.signal.aborted && (await startContainer(context, container))) hasStarted = true;
  }
  if (hasStarted) {
    await collectDeadContainers(context);
    return { to: 'running', againAfterMs: 0 };
  }
  return nextLook(context, plan.waits, plan.starts);
};

function forgetRemoved(ids: Set<string>, { containers }: PodContext['runtimePod']): void {
  for (const id of ids) if (!containers.some((container) => container.id === id)) ids.delete(id);
}

async function refreshVolumes({ pod, runtimePod, record, services, events }: PodContext): Promise<void> {
  try {
    record.volumesAreStale = false;
    record.volumes = await services.volumes.setUp(pod, addressesOf(pod, runtimePod, services));
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
    events().event('Warning', 'FailedMount', error.message);
  }
}

/** A container that failed a probe may have a special grace period. */
function graceOf({ pod, probes, runtimePod }: PodContext, name: string): number {
  const container = findContainer(pod.spec, name);
  const id = runtimePod.containers.find((instance) => instance.metadata.name === name)?.id ?? '';
  const failed = probes.verdict('startup', id) === 'failure' ? container?.startupProbe : container?.livenessProbe;
  return failed?.terminationGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}

function noteWaits({ pod, record, services, events }: PodContext, waits: readonly Wait[]): void {
  const { name: podName, namespace, uid } = pod.metadata;
  for (const { name } of waits) {
    const delay = formatDelay(services.crashBackoff.delayMs(crashKey(uid, name)));
    const message = `back-off ${delay} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`;
    if (record.waiting.get(name)?.message === message) continue;
    record.waiting.set(name, { reason: 'CrashLoopBackOff', message });
    events(name).event('Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`);
  }
}

/** 10s, 1m20s, 5m0s: as Go prints whole seconds. */
function formatDelay(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function nextLook({ record, services }: PodContext, waits: readonly Wait[], starts: readonly string[]): PodStep {
  const times = [...waits.map(({ untilMs }) => untilMs), ...starts.flatMap((name) => record.retryAtMs.get(name) ?? [])];
  const nowMs = services.clock.nowMs();
  if (record.resizeProblem !== undefined) times.push(nowMs + resizeRetryMs);
  const next = Math.min(...times, nowMs + volumeRefreshMs);
  if (next === nowMs + volumeRefreshMs) record.volumesAreStale = true;
  return { to: 'running', againAfterMs: Math.max(next - nowMs, 10) };
}
