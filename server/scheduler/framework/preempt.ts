import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import { matchesLabelSelector, isEmptyLabelSelector } from '../../../api/selectors/label-selectors.ts';
import { parseTime } from '../../../api/meta/time.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodDisruptionBudget } from '../../../api/types/policy-v1.ts';
import { createNodeInfo, type NodeInfo } from '../cache/node-info.ts';
import type { ClusterState } from './cluster-state.ts';
import { fitsOn, withNode } from './find-node.ts';
import { type FitFailure, formatFitFailure } from './fit-error.ts';
import { type SchedulerPlugin, unresolvable } from './framework.ts';
import type { PluginStatus } from './plugin-status.ts';

type Pods = readonly DeepReadonly<Pod>[];
type Budget = DeepReadonly<PodDisruptionBudget>;

export interface Preemption {
  readonly node: NodeInfo;
  /** Pods that must go for the pod to fit, the most important first. */
  readonly victims: Pods;
}

interface Candidate extends Preemption {
  /** Victims whose removal their PodDisruptionBudgets do not allow. */
  readonly violations: number;
}

export const preemptionReason = 'PreemptionByScheduler';
const noVictims = unresolvable('No preemption victims found for incoming pod');
const notHelpful = unresolvable('Preemption is not helpful for scheduling');

export const priorityOf = (pod: DeepReadonly<Pod>): number => pod.spec?.priority ?? 0;

/**
 * Searches a node on which the pod would fit if pods of lower priority were deleted, as upstream's DefaultPreemption does: as few
 * disruption budgets as possible are violated, then the least important pods are chosen. Pure. `message`: the reason why there is none, for
 * the user.
 */
export function findPreemption(
  plugins: readonly SchedulerPlugin[],
  pod: DeepReadonly<Pod>,
  cluster: ClusterState,
  failure: FitFailure,
  budgets: readonly Budget[],
  random: Random,
): Preemption | { readonly message: string } {
  const ineligible = whyNotEligible(pod, cluster, failure);
  if (ineligible !== undefined) return { message: ineligible };
  const byNode = new Map<string, PluginStatus>();
  const open = cluster.nodes.filter((node) => {
    const isOpen = failure.preFilter === undefined && failure.byNode.get(node.name)?.code === 'Unschedulable';
    if (!isOpen) byNode.set(node.name, notHelpful);
    return isOpen;
  });
  const candidates: Candidate[] = [];
  const wanted = candidateCount(open.length);
  const start = open.length === 0 ? 0 : randomInt(random, open.length);
  for (let index = 0; index < open.length && candidates.length < wanted; index++) {
    const node = open[(start + index) % open.length];
    if (!node) break;
    const found = selectVictims(plugins, pod, node, cluster, budgets);
    if ('code' in found) byNode.set(node.name, found);
    else candidates.push(found);
  }
  const [best] = [...candidates].sort(compareCandidates);
  return best ?? { message: formatFitFailure({ nodeCount: cluster.nodes.length, byNode, plugins: new Set() }) };
}

/** A tenth of the nodes, at least a hundred. */
function candidateCount(nodes: number): number {
  return Math.min(nodes, Math.max(100, Math.floor(nodes / 10)));
}

function whyNotEligible(pod: DeepReadonly<Pod>, cluster: ClusterState, failure: FitFailure): string | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status?.nominatedNodeName ?? '';
  const node = cluster.findNode(nominated);
  if (node === undefined || failure.byNode.get(nominated)?.code === 'UnschedulableAndUnresolvable') return undefined;
  const isGoing = node.pods.some((other) => priorityOf(other) < priorityOf(pod) && isPreempted(other));
  return isGoing ? 'not eligible due to a terminating pod on the nominated node.' : undefined;
}

function isPreempted({ metadata, status }: DeepReadonly<Pod>): boolean {
  const isTarget = status?.conditions?.some(
    ({ type, status: value, reason }) => type === 'DisruptionTarget' && value === 'True' && reason === preemptionReason,
  );
  return metadata.deletionTimestamp !== undefined && isTarget === true;
}

/** All pods of lower priority leave; then, the most important first, those come back beside which the pod still fits. */
function selectVictims(
  plugins: readonly SchedulerPlugin[],
  pod: DeepReadonly<Pod>,
  node: NodeInfo,
  cluster: ClusterState,
  budgets: readonly Budget[],
): Candidate | PluginStatus {
  const lower = node.pods.filter((other) => priorityOf(other) < priorityOf(pod)).sort(compareImportance);
  if (lower.length === 0) return noVictims;
  let staying: Pods = node.pods.filter((other) => priorityOf(other) >= priorityOf(pod));
  const refusal = (pods: Pods) => {
    const changed = createNodeInfo(node.node, pods);
    return fitsOn(plugins, pod, changed, withNode(cluster, changed));
  };
  const refused = refusal(staying);
  if (refused) return refused;
  const { violating, others } = splitByBudgets(lower, budgets);
  const victims: DeepReadonly<Pod>[] = [];
  let violations = 0;
  for (const [group, isViolation] of [
    [violating, true],
    [others, false],
  ] as const) {
    for (const other of group) {
      if (refusal([...staying, other]) === undefined) staying = [...staying, other];
      else {
        victims.push(other);
        if (isViolation) violations++;
      }
    }
  }
  return { node, victims: victims.sort(compareImportance), violations };
}

/** Higher priority first; among equals those that have run longer. */
function compareImportance(a: DeepReadonly<Pod>, b: DeepReadonly<Pod>): number {
  return priorityOf(b) - priorityOf(a) || startedMs(a) - startedMs(b);
}

function startedMs({ status }: DeepReadonly<Pod>): number {
  return status?.startTime === undefined ? Number.MAX_SAFE_INTEGER : parseTime(status.startTime);
}

function splitByBudgets(pods: Pods, budgets: readonly Budget[]): { readonly violating: Pods; readonly others: Pods } {
  const allowed = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  const violating = new Set<DeepReadonly<Pod>>();
  for (const pod of pods) {
    const { name = '', namespace, labels } = pod.metadata;
    if (Object.keys(labels ?? {}).length === 0) continue;
    for (const [index, { metadata, spec, status }] of budgets.entries()) {
      if (metadata.namespace !== namespace || isEmptyLabelSelector(spec?.selector) || !matchesLabelSelector(spec?.selector, labels))
        continue;
      // Its eviction was granted already.
      if (Object.hasOwn(status?.disruptedPods ?? {}, name)) continue;
      const left = (allowed[index] ?? 0) - 1;
      allowed[index] = left;
      if (left < 0) violating.add(pod);
    }
  }
  return { violating: pods.filter((pod) => violating.has(pod)), others: pods.filter((pod) => !violating.has(pod)) };
}

/** Compares candidates by upstream's criteria, one after the other; the better one comes first. */
function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    a.violations - b.violations ||
    highestPriority(a) - highestPriority(b) ||
    prioritySum(a) - prioritySum(b) ||
    a.victims.length - b.victims.length ||
    earliestStart(b) - earliestStart(a)
  );
}

function highestPriority({ victims }: Candidate): number {
  return victims[0] === undefined ? Number.MIN_SAFE_INTEGER : priorityOf(victims[0]);
}

/** Shifted so that many victims of negative priority do not look better than few. */
function prioritySum({ victims }: Candidate): number {
  return victims.reduce((sum, victim) => sum + priorityOf(victim) + 2 ** 31, 0);
}

/** The earliest start of the most important victims. */
function earliestStart(candidate: Candidate): number {
  const highest = highestPriority(candidate);
  return Math.min(...candidate.victims.filter((victim) => priorityOf(victim) === highest).map(startedMs));
}
