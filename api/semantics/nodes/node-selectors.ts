import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../types/core-v1.ts';

const integer = /^[+-]?\d+$/;

/** Gt and Lt compare integers; a value that is not an integer never matches. */
function compares(actual: string | undefined, values: readonly string[] | undefined, holds: (a: bigint, b: bigint) => boolean): boolean {
  const bound = values?.[0];
  if (actual === undefined || bound === undefined || values?.length !== 1) return false;
  if (!integer.test(actual) || !integer.test(bound)) return false;
  return holds(BigInt(actual.replace('+', '')), BigInt(bound.replace('+', '')));
}

function matchesRequirement(requirement: DeepReadonly<NodeSelectorRequirement>, actual: string | undefined): boolean {
  const { values } = requirement;
  switch (requirement.operator) {
    case 'In':
      return actual !== undefined && (values ?? []).includes(actual);
    case 'NotIn':
      return actual === undefined || !(values ?? []).includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
      return compares(actual, values, (a, b) => a > b);
    case 'Lt':
      return compares(actual, values, (a, b) => a < b);
    default:
      return false;
  }
}

/** Whether all expressions and fields of the term hold. A term without any matches nothing. */
export function matchesNodeSelectorTerm(term: DeepReadonly<NodeSelectorTerm>, node: DeepReadonly<Node>): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, ownValue(node.metadata.labels, requirement.key))) &&
    matchFields.every((requirement) => requirement.key === 'metadata.name' && matchesRequirement(requirement, node.metadata.name))
  );
}

/** Whether any of the terms matches. */
export function matchesNodeSelector(selector: DeepReadonly<NodeSelector>, node: DeepReadonly<Node>): boolean {
  return selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}

/** Whether the node has the labels of `spec.nodeSelector` and satisfies the required node affinity. */
export function matchesRequiredNodeAffinity(spec: DeepReadonly<PodSpec> | undefined, node: DeepReadonly<Node>): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) {
    if (ownValue(node.metadata.labels, key) !== value) return false;
  }
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}

/** The sum of the weights of the preferred terms that match. */
export function preferredNodeAffinityScore(spec: DeepReadonly<PodSpec> | undefined, node: DeepReadonly<Node>): number {
  let score = 0;
  for (const { weight, preference } of spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (weight !== 0 && matchesNodeSelectorTerm(preference, node)) score += weight;
  }
  return score;
}

function ownValue(map: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
