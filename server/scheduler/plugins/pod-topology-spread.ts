import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import { matchesRequiredNodeAffinity } from '../../../api/semantics/nodes/node-selectors.ts';
import { findUntoleratedTaint } from '../../../api/semantics/nodes/taints.ts';
import type { LabelSelector } from '../../../api/types/meta-v1.ts';
import type { Pod, TopologySpreadConstraint } from '../../../api/types/core-v1.ts';
import type { NodeInfo } from '../cache/node-info.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import { type CycleState, defineSchedulerPlugin, maxNodeScore, skip, unresolvable, unschedulable } from '../framework/framework.ts';

type Constraint = DeepReadonly<TopologySpreadConstraint>;

interface Counted {
  readonly constraint: Constraint;
  /** Topology value -> matching pods there, over eligible nodes only. */
  readonly counts: Map<string, number>;
}

const name = 'PodTopologySpread';
/** System defaults of upstream, for pods without constraints that belong to a Service or a workload. */
const defaults = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
];

export const podTopologySpread = defineSchedulerPlugin({
  name,
  weight: 2,
  retryOn: ['NodeAdd', 'NodeUpdate', 'NodeDelete', 'PodAdd', 'PodUpdate', 'PodDelete'],
  preFilter(state, pod, cluster) {
    const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule');
    if (hard.length === 0) return { status: skip };
    state.set(
      name,
      hard.map((constraint) => count(constraint, hard, pod, cluster.nodes)),
    );
    return undefined;
  },
  filter(state, pod, node) {
    for (const { constraint, counts } of counted(state, name)) {
      const value = topologyValue(node, constraint.topologyKey);
      if (value === undefined) return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");
      const enoughDomains = counts.size >= (constraint.minDomains ?? 1);
      const least = enoughDomains ? Math.min(...counts.values()) : 0;
      const self = selects(constraint, pod, pod) ? 1 : 0;
      if ((counts.get(value) ?? 0) + self - least > constraint.maxSkew)
        return unschedulable("node(s) didn't match pod topology spread constraints");
    }
    return undefined;
  },
  preScore(state, pod, nodes, cluster) {
    const soft = softConstraints(pod, cluster);
    if (soft.length === 0) return skip;
    const eligible = new Set(nodes.map((node) => node.name));
    state.set(
      `${name}/score`,
      soft.map((constraint) =>
        count(
          constraint,
          [],
          pod,
          cluster.nodes.filter((node) => eligible.has(node.name)),
        ),
      ),
    );
    return undefined;
  },
  /** Lower is better here; normalize turns it round. */
  score(state, _pod, node) {
    let score = 0;
    for (const { constraint, counts } of counted(state, `${name}/score`)) {
      const value = topologyValue(node, constraint.topologyKey);
      if (value !== undefined) score += (counts.get(value) ?? 0) * Math.log(counts.size + 2) + (constraint.maxSkew - 1);
    }
    return Math.round(score);
  },
  normalize(_state, scores) {
    const [least, most] = [Math.min(...scores.values()), Math.max(...scores.values())];
    for (const [node, score] of scores)
      scores.set(node, most === 0 ? maxNodeScore : Math.floor((maxNodeScore * (most + least - score)) / most));
  },
});

function softConstraints(pod: DeepReadonly<Pod>, cluster: ClusterState): Constraint[] {
  const own = pod.spec?.topologySpreadConstraints ?? [];
  if (own.length > 0) return own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway');
  const matchLabels = Object.assign({}, ...cluster.selectorsOf(pod)) as Record<string, string>;
  if (Object.keys(matchLabels).length === 0) return [];
  return defaults.map((constraint) => ({ ...constraint, whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels } }));
}

const counted = (state: CycleState, key: string): readonly Counted[] => (state.get(key) as readonly Counted[] | undefined) ?? [];

function topologyValue(node: NodeInfo, key: string): string | undefined {
  return node.node.metadata.labels?.[key];
}

function count(constraint: Constraint, all: readonly Constraint[], pod: DeepReadonly<Pod>, nodes: readonly NodeInfo[]): Counted {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const value = topologyValue(node, constraint.topologyKey);
    if (value === undefined || !all.every(({ topologyKey }) => topologyValue(node, topologyKey) !== undefined)) continue;
    if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesRequiredNodeAffinity(pod.spec, node.node)) continue;
    if (
      constraint.nodeTaintsPolicy === 'Honor' &&
      findUntoleratedTaint(node.node.spec?.taints, pod.spec?.tolerations, ['NoSchedule', 'NoExecute'])
    )
      continue;
    const matching = node.pods.filter(
      (other) =>
        other.metadata.namespace === pod.metadata.namespace && !other.metadata.deletionTimestamp && selects(constraint, other, pod),
    ).length;
    counts.set(value, (counts.get(value) ?? 0) + matching);
  }
  return { constraint, counts };
}

/** matchLabelKeys (KEP-3243) add the pod's own values to the selector. */
function selects(constraint: Constraint, other: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): boolean {
  const labels = other.metadata.labels ?? {};
  for (const key of constraint.matchLabelKeys ?? []) {
    const own = pod.metadata.labels?.[key];
    if (own !== undefined && labels[key] !== own) return false;
  }
  return constraint.labelSelector !== undefined && matchesLabelSelector(constraint.labelSelector as LabelSelector, labels);
}
