import { matchesRequiredNodeAffinity, preferredNodeAffinityScore } from '../../../api/semantics/nodes/node-selectors.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { NodeSelectorTerm } from '../../../api/types/core-v1.ts';
import { defineSchedulerPlugin, normalizeToHighest, skip, unresolvable } from '../framework/framework.ts';

export const nodeAffinity = defineSchedulerPlugin({
  name: 'NodeAffinity',
  weight: 2,
  retryOn: ['NodeAdd', 'NodeUpdate', 'PodUpdate'],
  /** A term on metadata.name (which the DaemonSet controller writes) names its nodes, so only those are filtered. */
  preFilter(_state, pod) {
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (!required && !pod.spec?.nodeSelector) return { status: skip };
    const named = required?.nodeSelectorTerms.map(namedNodes);
    if (!named || named.length === 0) return undefined;
    const names = new Set<string>();
    for (const nodes of named) {
      if (!nodes) return undefined;
      for (const name of nodes) names.add(name);
    }
    return names.size === 0 ? { status: unresolvable('pod affinity terms conflict') } : { nodeNames: names };
  },
  filter(_state, pod, node) {
    return matchesRequiredNodeAffinity(pod.spec, node.node) ? undefined : unresolvable("node(s) didn't match Pod's node affinity/selector");
  },
  preScore: (_state, pod) =>
    (pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length === 0 ? skip : undefined,
  score: (_state, pod, node) => preferredNodeAffinityScore(pod.spec, node.node),
  normalize: (_state, scores) => normalizeToHighest(scores),
});

/** Node names that a term asks for with metadata.name; undefined if it does not restrict the name. */
function namedNodes(term: DeepReadonly<NodeSelectorTerm>): readonly string[] | undefined {
  const sets = (term.matchFields ?? [])
    .filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    .map(({ values }) => values ?? []);
  const [first, ...others] = sets;
  return first?.filter((name) => others.every((set) => set.includes(name)));
}
