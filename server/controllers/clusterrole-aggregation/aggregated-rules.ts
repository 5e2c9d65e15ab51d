import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { ClusterRole, PolicyRule } from '../../../api/types/rbac-v1.ts';

/** The rules of all roles that the aggregation rule selects, each once, in the order of the roles' names. */
export function aggregatedRules(role: DeepReadonly<ClusterRole>, all: readonly DeepReadonly<ClusterRole>[]): DeepReadonly<PolicyRule>[] {
  const sorted = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const rules: DeepReadonly<PolicyRule>[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name || !matchesLabelSelector(selector, other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) if (!rules.some((present) => isSemanticallyEqual(present, rule))) rules.push(rule);
    }
  }
  return rules;
}
