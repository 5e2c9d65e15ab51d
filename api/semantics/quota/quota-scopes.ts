import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '../../types/core-v1.ts';
import { computeQOSClass } from '../pods/qos-class.ts';

type Requirement = DeepReadonly<ScopedResourceSelectorRequirement>;

/** Whether the quota applies to this object. Only Pods have scopes, so a quota with scopes applies to Pods alone. */
export function isInQuotaScope({ spec }: DeepReadonly<ResourceQuota>, pod: DeepReadonly<Pod> | undefined): boolean {
  const requirements: Requirement[] = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }) as Requirement),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  return requirements.every((requirement) => pod !== undefined && matches(requirement, pod));
}

function matches({ scopeName, operator, values = [] }: Requirement, { spec }: DeepReadonly<Pod>): boolean {
  const isTerminating = spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0;
  switch (scopeName) {
    case 'Terminating':
      return isTerminating;
    case 'NotTerminating':
      return !isTerminating;
    case 'BestEffort':
      return spec !== undefined && computeQOSClass(spec) === 'BestEffort';
    case 'NotBestEffort':
      return spec !== undefined && computeQOSClass(spec) !== 'BestEffort';
    case 'CrossNamespacePodAffinity':
      return usesOtherNamespaces(spec);
    case 'PriorityClass':
      return matchesName(operator, values, spec?.priorityClassName ?? '');
    default:
      return false;
  }
}

function matchesName(operator: string | undefined, values: readonly string[], name: string): boolean {
  switch (operator) {
    case 'In':
      return name !== '' && values.includes(name);
    case 'NotIn':
      return !values.includes(name);
    case 'DoesNotExist':
      return name === '';
    default:
      return name !== '';
  }
}

function usesOtherNamespaces(spec: DeepReadonly<Pod>['spec']): boolean {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].some((affinity) => {
    const terms = [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
    ];
    return terms.some((term) => (term?.namespaces ?? []).length > 0 || term?.namespaceSelector !== undefined);
  });
}
