import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { Pod, PodAffinityTerm } from '../../../api/types/core-v1.ts';
import type { NodeInfo } from '../cache/node-info.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import { type CycleState, defineSchedulerPlugin, maxNodeScore, skip, unresolvable, unschedulable } from '../framework/framework.ts';

type Term = DeepReadonly<PodAffinityTerm>;
/** `key=value` of a topology domain. */
type Domain = string;

interface Tables {
  /** Per required term of the pod: domains that hold a matching pod. */
  readonly affinity: readonly { readonly term: Term; readonly domains: ReadonlySet<Domain> }[];
  readonly antiAffinity: readonly { readonly term: Term; readonly domains: ReadonlySet<Domain> }[];
  /** Domains that pods already there keep this pod out of. */
  readonly existing: ReadonlySet<Domain>;
}

const name = 'InterPodAffinity';
const scoreKey = `${name}/score`;

export const interPodAffinity = defineSchedulerPlugin({
  name,
  weight: 2,
  retryOn: ['NodeAdd', 'NodeUpdate', 'PodAdd', 'PodUpdate', 'PodDelete'],
  preFilter(state, pod, cluster) {
    const affinity = requiredTerms(pod, 'podAffinity');
    const antiAffinity = requiredTerms(pod, 'podAntiAffinity');
    const existing = existingAntiAffinity(pod, cluster);
    if (affinity.length === 0 && antiAffinity.length === 0 && existing.size === 0) return { status: skip };
    const table = (term: Term) => ({ term, domains: domainsOf(term, pod, cluster) });
    state.set(name, { affinity: affinity.map(table), antiAffinity: antiAffinity.map(table), existing } satisfies Tables);
    return undefined;
  },
  filter(state, pod, node, cluster) {
    const tables = state.get(name) as Tables;
    if (!satisfiesAffinity(tables, pod, node, cluster)) return unresolvable("node(s) didn't match pod affinity rules");
    if (tables.antiAffinity.some(({ term, domains }) => domains.has(domainOf(node, term.topologyKey) ?? ''))) {
      return unschedulable("node(s) didn't match pod anti-affinity rules");
    }
    for (const domain of tables.existing) {
      const key = domain.slice(0, domain.indexOf('='));
      if (domainOf(node, key) === domain) return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
    }
    return undefined;
  },
  preScore(state, pod, _nodes, cluster) {
    const scores = preferredScores(pod, cluster);
    if (scores.size === 0) return skip;
    state.set(scoreKey, scores);
    return undefined;
  },
  score(state, _pod, node) {
    let score = 0;
    for (const [domain, weight] of state.get(scoreKey) as ReadonlyMap<Domain, number>) {
      if (domainOf(node, domain.slice(0, domain.indexOf('='))) === domain) score += weight;
    }
    return score;
  },
  normalize(_state: CycleState, scores) {
    const [least, most] = [Math.min(...scores.values()), Math.max(...scores.values())];
    for (const [node, score] of scores)
      scores.set(node, most === least ? 0 : Math.floor((maxNodeScore * (score - least)) / (most - least)));
  },
});

function requiredTerms(pod: DeepReadonly<Pod>, kind: 'podAffinity' | 'podAntiAffinity'): readonly Term[] {
  return pod.spec?.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function domainOf(node: NodeInfo, topologyKey: string): Domain | undefined {
  const value = node.node.metadata.labels?.[topologyKey];
  return value === undefined ? undefined : `${topologyKey}=${value}`;
}

/** Whether a term of `owner` selects the pod `other`. */
function selects(term: Term, owner: DeepReadonly<Pod>, other: DeepReadonly<Pod>, cluster: ClusterState): boolean {
  const namespace = other.metadata.namespace ?? '';
  const listed = term.namespaces ?? [];
  const bySelector =
    term.namespaceSelector !== undefined &&
    matchesLabelSelector(term.namespaceSelector, cluster.findNamespace(namespace)?.metadata.labels ?? {});
  const inNamespace =
    listed.length === 0 && term.namespaceSelector === undefined
      ? namespace === owner.metadata.namespace
      : listed.includes(namespace) || bySelector;
  return inNamespace && term.labelSelector !== undefined && matchesLabelSelector(term.labelSelector, other.metadata.labels ?? {});
}

function domainsOf(term: Term, pod: DeepReadonly<Pod>, cluster: ClusterState): Set<Domain> {
  const domains = new Set<Domain>();
  for (const node of cluster.nodes) {
    const domain = domainOf(node, term.topologyKey);
    if (domain !== undefined && node.pods.some((other) => selects(term, pod, other, cluster))) domains.add(domain);
  }
  return domains;
}

function existingAntiAffinity(pod: DeepReadonly<Pod>, cluster: ClusterState): Set<Domain> {
  const domains = new Set<Domain>();
  for (const node of cluster.nodes) {
    for (const other of node.podsWithAntiAffinity) {
      for (const term of requiredTerms(other, 'podAntiAffinity')) {
        const domain = domainOf(node, term.topologyKey);
        if (domain !== undefined && selects(term, other, pod, cluster)) domains.add(domain);
      }
    }
  }
  return domains;
}

/** The first pod of a group with affinity to itself must be able to start, so any node with the topology label fits. */
function satisfiesAffinity({ affinity }: Tables, pod: DeepReadonly<Pod>, node: NodeInfo, cluster: ClusterState): boolean {
  if (affinity.some(({ term }) => domainOf(node, term.topologyKey) === undefined)) return false;
  if (affinity.every(({ term, domains }) => domains.has(domainOf(node, term.topologyKey) ?? ''))) return true;
  return affinity.every(({ term, domains }) => domains.size === 0 && selects(term, pod, pod, cluster));
}

function preferredScores(pod: DeepReadonly<Pod>, cluster: ClusterState): Map<Domain, number> {
  const scores = new Map<Domain, number>();
  const add = (node: NodeInfo, topologyKey: string, weight: number) => {
    const domain = domainOf(node, topologyKey);
    if (domain !== undefined) scores.set(domain, (scores.get(domain) ?? 0) + weight);
  };
  const preferred = (of: DeepReadonly<Pod>, kind: 'podAffinity' | 'podAntiAffinity') =>
    of.spec?.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const node of cluster.nodes) {
    for (const other of node.pods) {
      for (const [kind, sign] of [
        ['podAffinity', 1],
        ['podAntiAffinity', -1],
      ] as const) {
        for (const { weight, podAffinityTerm } of preferred(pod, kind))
          if (selects(podAffinityTerm, pod, other, cluster)) add(node, podAffinityTerm.topologyKey, sign * weight);
        for (const { weight, podAffinityTerm } of preferred(other, kind))
          if (selects(podAffinityTerm, other, pod, cluster)) add(node, podAffinityTerm.topologyKey, sign * weight);
      }
      for (const term of requiredTerms(other, 'podAffinity')) if (selects(term, other, pod, cluster)) add(node, term.topologyKey, 1);
    }
  }
  return scores;
}
