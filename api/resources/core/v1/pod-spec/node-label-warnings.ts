import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { NodeSelectorTerm } from '../../../../types/core-v1.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';

/** Node labels that were renamed long ago. */
const deprecatedNodeLabels: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
]);

/** Why a label of nodes is no longer to be used; undefined: it may be. */
export function nodeLabelDeprecation(label: string): string | undefined {
  return deprecatedNodeLabels.get(label);
}

/** Warnings for labels that a selector of nodes asks for. */
export function nodeSelectorTermWarnings({ matchExpressions }: DeepReadonly<NodeSelectorTerm>, path: FieldPath): string[] {
  return (matchExpressions ?? []).flatMap(({ key }, index) => {
    const message = nodeLabelDeprecation(key);
    return message ? [`${path.child('matchExpressions').index(index).child('key')}: ${key} is ${message}`] : [];
  });
}
