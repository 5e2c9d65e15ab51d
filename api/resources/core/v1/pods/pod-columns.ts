import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import { findTime } from '../../../../meta/time.ts';
import { formatAge } from '../../../../meta/duration.ts';
import { isConditionTrue } from '../../../../meta/conditions.ts';
import { ageColumn, nameColumn, textColumn, wideColumn } from '../../../../resource/columns.ts';
import type { PrinterColumn, RowCondition } from '../../../../resource/resource-definition.ts';
import { isRestartableInitContainer } from '../../../../semantics/pods/pod-containers.ts';
import { isPodReady } from '../../../../semantics/pods/pod-conditions.ts';
import { isPodFinished, isPodTerminating } from '../../../../semantics/pods/pod-phase.ts';
import type { ContainerStateTerminated, ContainerStatus, Pod } from '../../../../types/core-v1.ts';

/** The containers' part of a row of `kubectl get pods`. */
interface PodSummary {
  readonly reason: string;
  readonly ready: number;
  readonly total: number;
  readonly restarts: number;
  readonly lastRestartMs: number | undefined;
}

type Status = DeepReadonly<ContainerStatus>;

interface Restarts {
  count: number;
  lastMs: number | undefined;
}

function countRestarts(restarts: Restarts, status: Status): void {
  restarts.count += status.restartCount ?? 0;
  const finishedMs = findTime(status.lastState?.terminated?.finishedAt);
  if (finishedMs !== undefined) restarts.lastMs = Math.max(restarts.lastMs ?? 0, finishedMs);
}

function describeExit(terminated: DeepReadonly<ContainerStateTerminated>): string {
  return terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`);
}

/** Why the Pod has not got past its init containers; undefined once all are done or keep running as sidecars. */
function describeInitialization(pod: DeepReadonly<Pod>, sidecars: ReadonlySet<string>, restarts: Restarts, sidecarRestarts: Restarts) {
  const total = pod.spec?.initContainers?.length ?? 0;
  let readySidecars = 0;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(status.name);
    const { terminated, waiting } = status.state ?? {};
    countRestarts(restarts, status);
    if (isSidecar) countRestarts(sidecarRestarts, status);
    if (terminated && (terminated.exitCode ?? 0) === 0) continue;
    if (isSidecar && status.started) {
      if (status.ready) readySidecars++;
      continue;
    }
    if (terminated) return { reason: `Init:${describeExit(terminated)}`, readySidecars };
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return { reason: `Init:${waiting.reason}`, readySidecars };
    return { reason: `Init:${index}/${total}`, readySidecars };
  }
  return { reason: undefined, readySidecars };
}

/** The word of the main containers; the first that has something to say wins. */
function describeMain(pod: DeepReadonly<Pod>, otherwise: string, restarts: Restarts) {
  let reason = otherwise;
  let ready = 0;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const { waiting, terminated, running } = status.state ?? {};
    countRestarts(restarts, status);
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated) reason = describeExit(terminated);
    else if (status.ready && running) ready++;
  }
  if (reason === 'Completed' && ready > 0) reason = isPodReady(pod) ? 'Running' : 'NotReady';
  return { reason, ready };
}

export function summarizePod(pod: DeepReadonly<Pod>): PodSummary {
  const { status, spec } = pod;
  const sidecars = new Set((spec?.initContainers ?? []).filter(isRestartableInitContainer).map(({ name }) => name));
  let reason = status?.reason || status?.phase || '';
  if (status?.conditions?.some((condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated'))
    reason = 'SchedulingGated';
  let restarts: Restarts = { count: 0, lastMs: undefined };
  const sidecarRestarts: Restarts = { count: 0, lastMs: undefined };
  const initialization = describeInitialization(pod, sidecars, restarts, sidecarRestarts);
  let ready = initialization.readySidecars;
  if (initialization.reason !== undefined) reason = initialization.reason;
  if (initialization.reason === undefined || isConditionTrue(status?.conditions, 'Initialized')) {
    restarts = sidecarRestarts;
    const main = describeMain(pod, reason, restarts);
    reason = main.reason;
    ready += main.ready;
  }
  if (isPodTerminating(pod)) {
    if (status?.reason === 'NodeLost') reason = 'Unknown';
    else if (!isPodFinished(pod)) reason = 'Terminating';
  }
  const total = (spec?.containers?.length ?? 0) + sidecars.size;
  return { reason, ready, total, restarts: restarts.count, lastRestartMs: restarts.lastMs };
}

function readinessGates({ spec, status }: DeepReadonly<Pod>): string {
  const gates = spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => isConditionTrue(status?.conditions, conditionType)).length}/${gates.length}`;
}

export const podColumns: readonly PrinterColumn<Pod>[] = [
  nameColumn,
  textColumn('Ready', (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  textColumn('Status', (pod) => summarizePod(pod).reason),
  textColumn('Restarts', (pod, { nowMs }) => {
    const { restarts, lastRestartMs } = summarizePod(pod);
    return restarts > 0 && lastRestartMs !== undefined ? `${restarts} (${formatAge(nowMs - lastRestartMs)} ago)` : String(restarts);
  }),
  ageColumn,
  wideColumn('IP', ({ status }) => status?.podIPs?.[0]?.ip || '<none>'),
  wideColumn('Node', ({ spec }) => spec?.nodeName || '<none>'),
  wideColumn('Nominated Node', ({ status }) => status?.nominatedNodeName || '<none>'),
  wideColumn('Readiness Gates', readinessGates),
];

/** The condition of a row that tells clients that a Pod is finished, so that they can leave it out. */
export function podRowConditions({ status }: DeepReadonly<Pod>): RowCondition[] {
  if (status?.phase === 'Succeeded') {
    return [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }];
  }
  return status?.phase === 'Failed' ? [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }] : [];
}
