import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { PodFailurePolicy, PodFailurePolicyRule } from '../../../api/types/batch-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

interface PolicyMatch {
  readonly action: PodFailurePolicyRule['action'];
  /** Why, for the Job's condition. */
  readonly message: string;
}

/** The decision of the Job's policy on a failed Pod (KEP-3329): the first rule that matches counts. */
export function matchFailurePolicy(policy: DeepReadonly<PodFailurePolicy> | undefined, pod: DeepReadonly<Pod>): PolicyMatch | undefined {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const reason = rule.onExitCodes === undefined ? matchConditions(rule, pod) : matchExitCodes(rule, pod);
    if (reason !== undefined) return { action: rule.action, message: `${reason} matching ${rule.action} rule at index ${index}` };
  }
  return undefined;
}

function matchExitCodes({ onExitCodes }: DeepReadonly<PodFailurePolicyRule>, pod: DeepReadonly<Pod>): string | undefined {
  if (onExitCodes === undefined) return undefined;
  const { containerName, operator, values } = onExitCodes;
  for (const { name, state } of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    if (containerName !== undefined && containerName !== name) continue;
    const exitCode = state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || values.includes(exitCode) !== (operator === 'In')) continue;
    return `Container ${name} for pod ${pod.metadata.namespace}/${pod.metadata.name} failed with exit code ${exitCode}`;
  }
  return undefined;
}

function matchConditions({ onPodConditions }: DeepReadonly<PodFailurePolicyRule>, pod: DeepReadonly<Pod>): string | undefined {
  for (const { type, status = 'True' } of onPodConditions ?? []) {
    if (pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status)) {
      return `Pod ${pod.metadata.namespace}/${pod.metadata.name} has condition ${type}`;
    }
  }
  return undefined;
}
