import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { HorizontalPodAutoscalerCondition } from '../../../api/types/autoscaling-v2.ts';
import type { Verdict } from './scaling-decision.ts';

/** The conditions of one autoscaler, collected during one evaluation. */
export interface Conditions {
  set(type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited', verdict: Verdict): void;
  list(): HorizontalPodAutoscalerCondition[];
}

/** The time of a condition changes only with its status. */
export function createConditions(before: DeepReadonly<HorizontalPodAutoscalerCondition[]> | undefined, now: string): Conditions {
  let conditions: readonly HorizontalPodAutoscalerCondition[] = (before ?? []).map((condition) => ({ ...condition }));
  return {
    set(type, verdict) {
      const known = conditions.find((condition) => condition.type === type);
      const lastTransitionTime = known?.status === verdict.status ? (known.lastTransitionTime ?? now) : now;
      const condition = { type, ...verdict, lastTransitionTime };
      conditions = known ? conditions.map((one) => (one.type === type ? condition : one)) : [...conditions, condition];
    },
    list: () => [...conditions],
  };
}
