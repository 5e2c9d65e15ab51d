import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { HorizontalPodAutoscalerBehavior } from '../../../api/types/autoscaling-v2.ts';
import { longestPeriodSeconds, longestStabilizationSeconds, type Recommendation, type ScaleEvent } from './scaling-decision.ts';

/** The scaling history of one autoscaler. It is lost with the process, as upstream's is. */
export interface ScalingHistory {
  readonly recommendations: readonly Recommendation[];
  readonly scaleUps: readonly ScaleEvent[];
  readonly scaleDowns: readonly ScaleEvent[];
}

export const noHistory: ScalingHistory = { recommendations: [], scaleUps: [], scaleDowns: [] };

type Behavior = DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined;

export function recommend(history: ScalingHistory, recommendation: Recommendation, behavior: Behavior): ScalingHistory {
  const sinceMs = recommendation.atMs - longestStabilizationSeconds(behavior) * 1000;
  return { ...history, recommendations: [...history.recommendations.filter(({ atMs }) => atMs > sinceMs), recommendation] };
}

/** Notes that the target was resized. Only rules ask for that. */
export function noteScaling(history: ScalingHistory, { change, atMs }: ScaleEvent, behavior: Behavior): ScalingHistory {
  if (!behavior || change === 0) return history;
  const recent = (events: readonly ScaleEvent[], seconds: number) => events.filter((event) => event.atMs > atMs - seconds * 1000);
  const scaleUps = recent(history.scaleUps, longestPeriodSeconds(behavior.scaleUp));
  const scaleDowns = recent(history.scaleDowns, longestPeriodSeconds(behavior.scaleDown));
  const event = { change: Math.abs(change), atMs };
  return {
    ...history,
    scaleUps: change > 0 ? [...scaleUps, event] : scaleUps,
    scaleDowns: change < 0 ? [...scaleDowns, event] : scaleDowns,
  };
}
