import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules } from '../../../api/types/autoscaling-v2.ts';

/** A size that was once found to be needed. */
export interface Recommendation {
  readonly replicas: number;
  readonly atMs: number;
}

/** How many replicas were once added or taken away. */
export interface ScaleEvent {
  readonly change: number;
  readonly atMs: number;
}

export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface ScalingInput {
  readonly currentReplicas: number;
  /** The size that the metrics ask for. */
  readonly desiredReplicas: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly behavior: DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined;
  /** The latest included. */
  readonly recommendations: readonly Recommendation[];
  readonly scaleUps: readonly ScaleEvent[];
  readonly scaleDowns: readonly ScaleEvent[];
  readonly nowMs: number;
}

interface ScalingDecision {
  readonly replicas: number;
  readonly ableToScale: Verdict;
  readonly scalingLimited: Verdict;
}

const downscaleStabilizationSeconds = 300;

const readyForNewScale: Verdict = { status: 'True', reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const scaleDownStabilized: Verdict = {
  status: 'True',
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const scaleUpStabilized: Verdict = {
  status: 'True',
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};

const limits = {
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
  DesiredWithinRange: 'the desired count is within the acceptable range',
} as const;

type Limit = keyof typeof limits;

/** The number of replicas to set now: the metrics' proposal, stabilized by the recent past and kept within the limits. */
export function decideScaling(input: ScalingInput): ScalingDecision {
  const steady = input.behavior ? stabilizeWithin(input, input.behavior) : stabilizeDown(input);
  const ableToScale =
    steady === input.desiredReplicas
      ? readyForNewScale
      : input.behavior && input.desiredReplicas >= input.currentReplicas
        ? scaleUpStabilized
        : scaleDownStabilized;
  const { replicas, limit } = input.behavior ? limitByRules(input, steady, input.behavior) : limitByDefault(input, steady);
  const status = replicas === steady ? 'False' : 'True';
  return { replicas, ableToScale, scalingLimited: { status, reason: limit, message: limits[limit] } };
}

/** The highest proposal of the last five minutes, since load that falls may soon rise again. */
function stabilizeDown({ desiredReplicas, recommendations, nowMs }: ScalingInput): number {
  return Math.max(desiredReplicas, ...within(recommendations, downscaleStabilizationSeconds, nowMs));
}

function within(recommendations: readonly Recommendation[], seconds: number, nowMs: number): number[] {
  return recommendations.filter(({ atMs }) => atMs > nowMs - seconds * 1000).map(({ replicas }) => replicas);
}

/** The number of replicas closest to the present one that the recommendations of both windows allow. */
function stabilizeWithin(
  { currentReplicas, desiredReplicas, recommendations, nowMs }: ScalingInput,
  { scaleUp, scaleDown }: DeepReadonly<HorizontalPodAutoscalerBehavior>,
): number {
  const upSeconds = scaleUp?.stabilizationWindowSeconds ?? 0;
  const downSeconds = scaleDown?.stabilizationWindowSeconds ?? downscaleStabilizationSeconds;
  const lowest = Math.min(desiredReplicas, ...within(recommendations, upSeconds, nowMs));
  const highest = Math.max(desiredReplicas, ...within(recommendations, downSeconds, nowMs));
  return Math.min(Math.max(currentReplicas, lowest), highest);
}

interface Limited {
  readonly replicas: number;
  readonly limit: Limit;
}

/** Without rules: at most twice as many, or four. */
function limitByDefault({ currentReplicas, minReplicas, maxReplicas }: ScalingInput, steady: number): Limited {
  const scaleUpLimit = Math.max(2 * currentReplicas, 4);
  const [most, limit]: [number, Limit] = maxReplicas > scaleUpLimit ? [scaleUpLimit, 'ScaleUpLimit'] : [maxReplicas, 'TooManyReplicas'];
  if (steady < minReplicas) return { replicas: minReplicas, limit: 'TooFewReplicas' };
  if (steady > most) return { replicas: most, limit };
  return { replicas: steady, limit: 'DesiredWithinRange' };
}

function limitByRules(input: ScalingInput, steady: number, { scaleUp, scaleDown }: DeepReadonly<HorizontalPodAutoscalerBehavior>): Limited {
  const { currentReplicas, minReplicas, maxReplicas } = input;
  if (steady > currentReplicas) {
    const rate = Math.max(scaleUpLimit(input, scaleUp ?? {}), currentReplicas);
    const [most, limit]: [number, Limit] = maxReplicas > rate ? [rate, 'ScaleUpLimit'] : [maxReplicas, 'TooManyReplicas'];
    if (steady > most) return { replicas: most, limit };
  } else if (steady < currentReplicas) {
    const rate = Math.min(scaleDownLimit(input, scaleDown ?? {}), currentReplicas);
    const [least, limit]: [number, Limit] = minReplicas < rate ? [rate, 'ScaleDownLimit'] : [minReplicas, 'TooFewReplicas'];
    if (steady < least) return { replicas: least, limit };
  }
  return { replicas: steady, limit: 'DesiredWithinRange' };
}

type Policies = DeepReadonly<HPAScalingPolicy[]>;

const defaultUpPolicies: Policies = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const defaultDownPolicies: Policies = [{ type: 'Percent', value: 100, periodSeconds: 15 }];

/** How many there were when the policy's period began. */
function atPeriodStart({ currentReplicas, scaleUps, scaleDowns, nowMs }: ScalingInput, periodSeconds: number): number {
  const changed = (events: readonly ScaleEvent[]) =>
    events.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000).reduce((sum, { change }) => sum + change, 0);
  return currentReplicas - changed(scaleUps) + changed(scaleDowns);
}

function scaleUpLimit(input: ScalingInput, { selectPolicy = 'Max', policies = defaultUpPolicies }: DeepReadonly<HPAScalingRules>): number {
  if (selectPolicy === 'Disabled') return input.currentReplicas;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(input, periodSeconds);
    // In whole percents: 100 * 1.1 is a little more than 110.
    return type === 'Pods' ? start + value : Math.ceil((start * (100 + value)) / 100);
  });
  return selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals);
}

function scaleDownLimit(
  input: ScalingInput,
  { selectPolicy = 'Max', policies = defaultDownPolicies }: DeepReadonly<HPAScalingRules>,
): number {
  if (selectPolicy === 'Disabled') return input.currentReplicas;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(input, periodSeconds);
    return type === 'Pods' ? start - value : Math.trunc((start * (100 - value)) / 100);
  });
  return selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals);
}

/** The longest time that a past change may matter for. */
export function longestPeriodSeconds(rules: DeepReadonly<HPAScalingRules> | undefined): number {
  return Math.max(15, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
}

/** The longest time that a past recommendation may matter for. */
export function longestStabilizationSeconds(behavior: DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined): number {
  const { scaleUp, scaleDown } = behavior ?? {};
  return Math.max(scaleUp?.stabilizationWindowSeconds ?? 0, scaleDown?.stabilizationWindowSeconds ?? downscaleStabilizationSeconds);
}
