import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { type Random, randomInt } from '../../../api/base/random.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { createNodeInfo, type NodeInfo, podKey } from '../cache/node-info.ts';
import type { ClusterState } from './cluster-state.ts';
import type { FitFailure } from './fit-error.ts';
import type { CycleState, SchedulerPlugin } from './framework.ts';
import type { PluginStatus } from './plugin-status.ts';

type FindResult = { readonly node: NodeInfo } | { readonly failure: FitFailure };

/**
 * One scheduling cycle up to the choice: filters every node, scores the feasible ones, and takes the best (at random among equals). Pure.
 */
export function findNode(plugins: readonly SchedulerPlugin[], pod: DeepReadonly<Pod>, cluster: ClusterState, random: Random): FindResult {
  // Room was made for the pod there.
  const promised = cluster.findNode(pod.status?.nominatedNodeName ?? '');
  if (promised && fitsOn(plugins, pod, promised, cluster) === undefined) return { node: promised };
  const state: CycleState = new Map();
  const filtered = filterNodes(plugins, state, pod, cluster);
  if ('failure' in filtered) return filtered;
  const [only] = filtered.nodes;
  if (filtered.nodes.length === 1 && only) return { node: only };
  return { node: pickBest(scoreNodes(plugins, state, pod, filtered.nodes, cluster), filtered.nodes, random) };
}

function filterNodes(
  plugins: readonly SchedulerPlugin[],
  state: CycleState,
  pod: DeepReadonly<Pod>,
  cluster: ClusterState,
): { readonly nodes: NodeInfo[] } | { readonly failure: FitFailure } {
  const skipped = new Set<string>();
  let candidates: readonly NodeInfo[] = cluster.nodes;
  const byNode = new Map<string, PluginStatus>();
  const refusing = new Set<string>();
  for (const plugin of plugins) {
    const result = plugin.preFilter?.(state, pod, cluster);
    if (result?.status?.code === 'Skip') skipped.add(plugin.name);
    else if (result?.status) {
      return { failure: { nodeCount: cluster.nodes.length, preFilter: result.status, byNode, plugins: new Set([plugin.name]) } };
    }
    const allowed = result?.nodeNames;
    if (allowed) candidates = candidates.filter((node) => allowed.has(node.name));
  }
  const active = plugins.filter((plugin) => plugin.filter && !skipped.has(plugin.name));
  let error: string | undefined;
  const nodes = candidates.filter((node) => {
    for (const plugin of error === undefined ? active : []) {
      const status = plugin.filter?.(state, pod, node, cluster);
      if (!status) continue;
      if (status.code === 'Error') error = `running "${plugin.name}" filter plugin: ${status.reasons.join(', ')}`;
      byNode.set(node.name, status);
      refusing.add(plugin.name);
      return false;
    }
    const refusal = refusalBesidePromised(plugins, pod, node, cluster);
    if (!refusal) return true;
    byNode.set(node.name, refusal.status);
    refusing.add(refusal.plugin);
    return false;
  });
  if (error !== undefined) return { failure: { nodeCount: cluster.nodes.length, error, byNode, plugins: refusing } };
  if (nodes.length > 0) return { nodes };
  return { failure: { nodeCount: cluster.nodes.length, byNode, plugins: refusing } };
}

interface Refusal {
  readonly plugin: string;
  readonly status: PluginStatus;
}

/** The status of the plugin that refuses the pod on one node. The cluster may be a hypothetical one. */
function findRefusal(
  plugins: readonly SchedulerPlugin[],
  pod: DeepReadonly<Pod>,
  node: NodeInfo,
  cluster: ClusterState,
): Refusal | undefined {
  const state: CycleState = new Map();
  const skipped = new Set<string>();
  for (const plugin of plugins) {
    const result = plugin.preFilter?.(state, pod, cluster);
    if (result?.status?.code === 'Skip') skipped.add(plugin.name);
    else if (result?.status) return { plugin: plugin.name, status: result.status };
    else if (result?.nodeNames && !result.nodeNames.has(node.name))
      return { plugin: plugin.name, status: { code: 'UnschedulableAndUnresolvable', reasons: [] } };
  }
  for (const plugin of plugins) {
    const status = skipped.has(plugin.name) ? undefined : plugin.filter?.(state, pod, node, cluster);
    if (status) return { plugin: plugin.name, status };
  }
  return undefined;
}

/** Judges a node as if the Pods that were promised the node, and are at least as important, were on it already. */
function refusalBesidePromised(
  plugins: readonly SchedulerPlugin[],
  pod: DeepReadonly<Pod>,
  node: NodeInfo,
  cluster: ClusterState,
): Refusal | undefined {
  const promised = cluster
    .nominatedOn(node.name)
    .filter((other) => (other.spec?.priority ?? 0) >= (pod.spec?.priority ?? 0) && podKey(other) !== podKey(pod));
  if (promised.length === 0) return undefined;
  const full = createNodeInfo(node.node, [...node.pods, ...promised]);
  return findRefusal(plugins, pod, full, withNode(cluster, full));
}

/** The reason why the pod does not fit on a node in this cluster, checked with and without the pods that are nominated to it. */
export function fitsOn(
  plugins: readonly SchedulerPlugin[],
  pod: DeepReadonly<Pod>,
  node: NodeInfo,
  cluster: ClusterState,
): PluginStatus | undefined {
  return (findRefusal(plugins, pod, node, cluster) ?? refusalBesidePromised(plugins, pod, node, cluster))?.status;
}

/** The cluster with one node replaced. */
export function withNode(cluster: ClusterState, changed: NodeInfo): ClusterState {
  return {
    ...cluster,
    nodes: cluster.nodes.map((node) => (node.name === changed.name ? changed : node)),
    findNode: (name) => (name === changed.name ? changed : cluster.findNode(name)),
  };
}

function scoreNodes(
  plugins: readonly SchedulerPlugin[],
  state: CycleState,
  pod: DeepReadonly<Pod>,
  nodes: readonly NodeInfo[],
  cluster: ClusterState,
): Map<string, number> {
  const totals = new Map<string, number>(nodes.map((node) => [node.name, 0]));
  for (const plugin of plugins) {
    if (!plugin.score || plugin.preScore?.(state, pod, nodes, cluster)?.code === 'Skip') continue;
    const scores = new Map<string, number>();
    for (const node of nodes) scores.set(node.name, plugin.score(state, pod, node, cluster));
    plugin.normalize?.(state, scores);
    for (const [name, score] of scores) totals.set(name, (totals.get(name) ?? 0) + score * (plugin.weight ?? 1));
  }
  return totals;
}

function pickBest(scores: ReadonlyMap<string, number>, nodes: readonly NodeInfo[], random: Random): NodeInfo {
  const highest = Math.max(...scores.values());
  const best = nodes.filter((node) => scores.get(node.name) === highest);
  const chosen = best[randomInt(random, best.length)];
  if (!chosen) throw new Error('pickBest was given no nodes');
  return chosen;
}
