import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { resolveIntOrPercent } from '../../../api/semantics/workloads/int-or-percent.ts';
import { isPodAvailable, isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { DaemonSet, DaemonSetStatus } from '../../../api/types/apps-v1.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { isUpToDate, placementOn, targetNode } from './daemon-pod.ts';

type ReadonlyPod = DeepReadonly<Pod>;

export interface DaemonInput {
  readonly set: DeepReadonly<DaemonSet>;
  readonly nodes: readonly DeepReadonly<Node>[];
  readonly pods: readonly ReadonlyPod[];
  /** The hash of the present template. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Nodes that need a Pod. */
  readonly create: readonly string[];
  readonly delete: readonly ReadonlyPod[];
  /** Finished Pods that stand in the way of new ones. They are deleted too, the failed ones after a backoff. */
  readonly finished: readonly ReadonlyPod[];
}

function podsByNode(pods: readonly ReadonlyPod[]): Map<string, ReadonlyPod[]> {
  const byNode = new Map<string, ReadonlyPod[]>();
  for (const pod of pods) {
    const node = targetNode(pod);
    const list = byNode.get(node);
    if (list === undefined) byNode.set(node, [pod]);
    else list.push(pod);
  }
  return byNode;
}

const isDeleted = (pod: ReadonlyPod) => pod.metadata.deletionTimestamp !== undefined;
const isAvailable = (pod: ReadonlyPod, { set, nowMs }: DaemonInput) => isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);

function oldestFirst(a: ReadonlyPod, b: ReadonlyPod): number {
  // Pods that are bound come before those that are not.
  const bound = Number((b.spec?.nodeName ?? '') !== '') - Number((a.spec?.nodeName ?? '') !== '');
  return bound !== 0 ? bound : (findTime(a.metadata.creationTimestamp) ?? 0) - (findTime(b.metadata.creationTimestamp) ?? 0);
}

/** Plans one Pod on every node that should have one, and none elsewhere. */
export function planPlacement(input: DaemonInput): DaemonPlan {
  const { set, nodes } = input;
  const byNode = podsByNode(input.pods);
  const plan = { create: [] as string[], delete: [] as ReadonlyPod[], finished: [] as ReadonlyPod[] };
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const pods = byNode.get(name) ?? [];
    const { shouldRun, mayStay } = placementOn(set, node);
    if (!mayStay) {
      plan.delete.push(...pods.filter((pod) => !isDeleted(pod)));
      continue;
    }
    if (shouldRun && pods.length === 0) plan.create.push(name);
    const running: ReadonlyPod[] = [];
    for (const pod of pods) {
      if (isDeleted(pod)) continue;
      if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') plan.finished.push(pod);
      else running.push(pod);
    }
    plan.delete.push(...surplus(input, running.sort(oldestFirst)));
  }
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  for (const [name, pods] of byNode) {
    // Made for a node that went away before the Pod got there; Pods that did get there are the Pod collector's.
    if (!known.has(name)) plan.delete.push(...pods.filter((pod) => !isDeleted(pod) && !pod.spec?.nodeName));
  }
  return plan;
}

/**
 * The surplus Pods of a node: all but the oldest. In an update with surge the oldest Pod of the old and of the new template stay until the
 * new one is available.
 */
function surplus(input: DaemonInput, running: readonly ReadonlyPod[]): ReadonlyPod[] {
  if (running.length <= 1) return [];
  if (updateBounds(input).surge === 0) return running.slice(1);
  const [oldestNew, ...otherNew] = running.filter((pod) => isUpToDate(pod, input.set, input.hash));
  const [oldestOld, ...otherOld] = running.filter((pod) => !isUpToDate(pod, input.set, input.hash));
  const replaced = oldestNew !== undefined && oldestOld !== undefined && isAvailable(oldestNew, input) ? [oldestOld] : [];
  return [...otherNew, ...otherOld, ...replaced];
}

/** maxSurge and maxUnavailable, both rounded up of the nodes that should run a Pod; never both 0. */
function updateBounds({ set, nodes }: DaemonInput): { readonly surge: number; readonly unavailable: number } {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type !== 'RollingUpdate') return { surge: 0, unavailable: 0 };
  const desired = nodes.filter((node) => placementOn(set, node).shouldRun).length;
  const surge = resolveIntOrPercent(rollingUpdate?.maxSurge ?? 0, desired, 'up');
  const unavailable = resolveIntOrPercent(rollingUpdate?.maxUnavailable ?? 1, desired, 'up');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** The next step of a rolling update: Pods that are unavailable anyhow, and as many others as the bounds allow. */
export function planUpdate(input: DaemonInput): DaemonPlan {
  const bounds = updateBounds(input);
  return bounds.surge > 0 ? planSurge(input, bounds.surge) : planReplacement(input, bounds.unavailable);
}

function oldAndNew(input: DaemonInput, pods: readonly ReadonlyPod[]) {
  const isNew = (pod: ReadonlyPod) => isUpToDate(pod, input.set, input.hash);
  const [newPod, ...moreNew] = pods.filter(isNew);
  const [oldPod, ...moreOld] = pods.filter((pod) => !isNew(pod));
  return { newPod, oldPod, isClear: moreNew.length === 0 && moreOld.length === 0 };
}

function planReplacement(input: DaemonInput, maxUnavailable: number): DaemonPlan {
  const byNode = podsByNode(input.pods);
  const replace: ReadonlyPod[] = [];
  const candidates: ReadonlyPod[] = [];
  let unavailable = 0;
  for (const node of input.nodes) {
    if (!placementOn(input.set, node).shouldRun) continue;
    const { newPod, oldPod, isClear } = oldAndNew(input, byNode.get(node.metadata.name ?? '') ?? []);
    if (!isClear || (newPod !== undefined && oldPod !== undefined)) unavailable++;
    else if (oldPod === undefined) {
      if (newPod === undefined || !isAvailable(newPod, input)) unavailable++;
    } else if (isDeleted(oldPod)) unavailable++;
    else if (isAvailable(oldPod, input)) candidates.push(oldPod);
    else {
      replace.push(oldPod);
      unavailable++;
    }
  }
  const more = Math.max(0, maxUnavailable - unavailable);
  return { create: [], delete: [...replace, ...candidates.slice(0, more)], finished: [] };
}

function planSurge(input: DaemonInput, maxSurge: number): DaemonPlan {
  const byNode = podsByNode(input.pods);
  const plan = { create: [] as string[], delete: [] as ReadonlyPod[], finished: [] };
  const candidates: string[] = [];
  let surging = 0;
  for (const node of input.nodes) {
    if (!placementOn(input.set, node).shouldRun) continue;
    const name = node.metadata.name ?? '';
    const { newPod, oldPod, isClear } = oldAndNew(input, byNode.get(name) ?? []);
    if (!isClear) surging++;
    else if (newPod === undefined && oldPod !== undefined) {
      // An unavailable Pod is replaced without counting.
      if (isAvailable(oldPod, input)) candidates.push(name);
      else plan.create.push(name);
    } else if (newPod !== undefined && oldPod !== undefined) {
      if (!isAvailable(newPod, input)) surging++;
      else if (!isDeleted(oldPod)) plan.delete.push(oldPod);
    }
  }
  plan.create.push(...candidates.slice(0, Math.max(0, maxSurge - surging)));
  return plan;
}

interface DaemonStatusOutcome {
  readonly status: DaemonSetStatus;
  /** Until a ready Pod will have been ready for long enough. */
  readonly waitSeconds: number | undefined;
}

/** The counts, by nodes and not by Pods. */
export function daemonStatus(input: DaemonInput): DaemonStatusOutcome {
  const { set, nodes, hash, nowMs } = input;
  const byNode = podsByNode(input.pods);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const pods = (byNode.get(node.metadata.name ?? '') ?? []).sort(oldestFirst);
    if (!placementOn(set, node).shouldRun) {
      if (pods.length > 0) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    const [shown] = pods.filter((pod) => !isDeleted(pod)).concat(pods);
    if (shown === undefined) continue;
    counts.current++;
    const ready = pods.find((pod) => isPodReady(pod));
    if (ready !== undefined) {
      counts.ready++;
      if (isPodAvailable(ready, minReadySeconds, nowMs)) counts.available++;
    }
    if (pods.some((pod) => isUpToDate(pod, set, hash))) counts.updated++;
  }
  const unavailable = counts.desired - counts.available;
  const status: DaemonSetStatus = {
    ...(set.status?.collisionCount === undefined ? {} : { collisionCount: set.status.collisionCount }),
    ...(set.status?.conditions === undefined
      ? {}
      : { conditions: [...set.status.conditions] as NonNullable<DaemonSetStatus['conditions']> }),
    currentNumberScheduled: counts.current,
    desiredNumberScheduled: counts.desired,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    observedGeneration: set.metadata.generation ?? 0,
    ...(counts.updated > 0 ? { updatedNumberScheduled: counts.updated } : {}),
    ...(counts.available > 0 ? { numberAvailable: counts.available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
  };
  const isWaiting = minReadySeconds > 0 && counts.ready !== counts.available;
  return { status, waitSeconds: isWaiting ? minReadySeconds : undefined };
}
