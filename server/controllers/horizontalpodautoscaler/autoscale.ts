import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { LabelMatcher } from '../../../api/selectors/label-selector.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import type { HorizontalPodAutoscaler, MetricStatus } from '../../../api/types/autoscaling-v2.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { messageOf } from '../runtime/pod-control.ts';
import type { Conditions } from './conditions.ts';
import { MetricError, type Proposal, proposeReplicas, tolerancesOf } from './metric-proposal.ts';
import type { MetricReader } from './metric-readings.ts';
import { noHistory, noteScaling, recommend, type ScalingHistory } from './scaling-history.ts';
import type { ScaleTarget } from './scale-target.ts';
import { decideScaling } from './scaling-decision.ts';

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;

export interface AutoscaleInput {
  readonly autoscaler: Autoscaler;
  readonly conditions: Conditions;
  readonly say: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly readTarget: () => Promise<ScaleTarget>;
  readonly reader: MetricReader;
  readonly pods: (matcher: LabelMatcher) => readonly DeepReadonly<Pod>[];
  /** Other autoscalers of the same Pods. */
  readonly rivals: (selector: string, pods: readonly DeepReadonly<Pod>[]) => readonly string[];
  readonly history: ScalingHistory | undefined;
  readonly nowMs: number;
}

export interface AutoscaleResult {
  readonly history: ScalingHistory;
  /** Undefined: the target is not known. */
  readonly status?: {
    readonly currentReplicas: number;
    readonly desiredReplicas?: number;
    readonly currentMetrics: readonly MetricStatus[];
    readonly hasScaled: boolean;
  };
  /** The message for the log. */
  readonly problem?: string;
}

/** Evaluates one autoscaler once: the target's scale, the replicas that its metrics ask for, and the resulting change. */
export async function autoscale(input: AutoscaleInput): Promise<AutoscaleResult> {
  const { autoscaler, conditions, say, nowMs } = input;
  const { kind, name } = autoscaler.spec.scaleTargetRef;
  const reference = `${kind}/${autoscaler.metadata.namespace}/${name}`;
  const kept = input.history ?? noHistory;
  let target: ScaleTarget;
  try {
    target = await input.readTarget();
  } catch (error) {
    const message = messageOf(error);
    say('Warning', 'FailedGetScale', message);
    const shown = `the HPA controller was unable to get the target's current scale: ${message}`;
    conditions.set('AbleToScale', { status: 'False', reason: 'FailedGetScale', message: shown });
    return { history: kept, problem: `failed to query scale subresource for ${reference}: ${message}` };
  }
  conditions.set('AbleToScale', {
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
  });
  const currentReplicas = target.scale.spec?.replicas ?? 0;
  // Without a history the present size counts as recommended, so that nothing shrinks right after a restart.
  const history = input.history ?? recommend(noHistory, { replicas: currentReplicas, atMs: nowMs }, autoscaler.spec.behavior);
  const wish = await findWish({ ...input, target, history });
  const { metrics: currentMetrics } = wish;
  if (wish.replicas === undefined) {
    const problem = `failed to compute desired number of replicas based on listed metrics for ${reference}: ${wish.problem}`;
    say('Warning', 'FailedComputeMetricsReplicas', wish.problem ?? '');
    return { history: wish.history, status: { currentReplicas, currentMetrics, hasScaled: false }, problem };
  }
  const { replicas } = wish;
  const status = { currentReplicas, desiredReplicas: replicas, currentMetrics };
  const rest = { ...(wish.problem === undefined ? {} : { problem: wish.problem }) };
  if (replicas === currentReplicas) return { history: wish.history, status: { ...status, hasScaled: false }, ...rest };
  try {
    await target.resize(replicas);
  } catch (error) {
    const message = messageOf(error);
    say('Warning', 'FailedRescale', `New size: ${replicas}; reason: ${wish.reason}; error: ${message}`);
    const shown = `the HPA controller was unable to update the target scale: ${message}`;
    conditions.set('AbleToScale', { status: 'False', reason: 'FailedUpdateScale', message: shown });
    const failed = { currentReplicas, currentMetrics, hasScaled: false };
    return { history: wish.history, status: failed, problem: `failed to rescale ${reference}: ${message}` };
  }
  conditions.set('AbleToScale', {
    status: 'True',
    reason: 'SucceededRescale',
    message: `the HPA controller was able to update the target scale to ${replicas}`,
  });
  say('Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${wish.reason}`);
  const change = { change: replicas - currentReplicas, atMs: nowMs };
  return { history: noteScaling(wish.history, change, autoscaler.spec.behavior), status: { ...status, hasScaled: true }, ...rest };
}

interface Wish {
  /** Undefined: it could not be found out. */
  readonly replicas: number | undefined;
  readonly reason: string;
  readonly metrics: readonly MetricStatus[];
  readonly history: ScalingHistory;
  readonly problem?: string;
}

type WishInput = AutoscaleInput & { readonly target: ScaleTarget; readonly history: ScalingHistory };

async function findWish(input: WishInput): Promise<Wish> {
  const { autoscaler, conditions, target, history, nowMs } = input;
  const { minReplicas = 1, maxReplicas, behavior } = autoscaler.spec;
  const currentReplicas = target.scale.spec?.replicas ?? 0;
  const bounded = (replicas: number, reason: string): Wish => ({ replicas, reason, metrics: [], history });
  if (currentReplicas === 0 && minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    conditions.set('ScalingActive', { status: 'False', reason: 'ScalingDisabled', message });
    return bounded(0, '');
  }
  if (currentReplicas > maxReplicas) return bounded(maxReplicas, 'Current number of replicas above Spec.MaxReplicas');
  if (currentReplicas < minReplicas) return bounded(minReplicas, 'Current number of replicas below Spec.MinReplicas');
  const { best, statuses, problem } = await weighMetrics(input);
  if (!best) return { replicas: undefined, reason: '', metrics: statuses, history, problem: problem ?? '' };
  const next = recommend(history, { replicas: best.replicas, atMs: nowMs }, behavior);
  const decision = decideScaling({ ...next, currentReplicas, desiredReplicas: best.replicas, minReplicas, maxReplicas, behavior, nowMs });
  conditions.set('AbleToScale', decision.ableToScale);
  conditions.set('ScalingLimited', decision.scalingLimited);
  const reason = best.replicas > currentReplicas ? `${best.metric} above target` : 'All metrics below target';
  return { replicas: decision.replicas, reason, metrics: statuses, history: next, ...(problem === undefined ? {} : { problem }) };
}

interface Weighed {
  readonly best: Proposal | undefined;
  readonly statuses: readonly MetricStatus[];
  readonly problem?: string;
}

/** The metric that asks for most. Where some cannot be read, the others may raise the number but not lower it. */
async function weighMetrics(input: WishInput): Promise<Weighed> {
  const { autoscaler, conditions, say, target, reader, nowMs } = input;
  const selection = select(input);
  if (typeof selection === 'string') return { best: undefined, statuses: [], problem: selection };
  const specs = autoscaler.spec.metrics ?? [];
  const specReplicas = target.scale.spec?.replicas ?? 0;
  const common = {
    ...{ reader, nowMs, specReplicas, selector: selection.selector, pods: selection.pods },
    namespace: autoscaler.metadata.namespace ?? '',
    statusReplicas: target.scale.status?.replicas ?? 0,
    tolerances: tolerancesOf(autoscaler.spec.behavior),
  };
  const statuses: MetricStatus[] = [];
  const failures: MetricError[] = [];
  let best: Proposal | undefined;
  for (const spec of specs) {
    try {
      const proposal = await proposeReplicas(common, spec);
      statuses.push(proposal.status);
      if (!best || proposal.replicas > best.replicas) best = proposal;
    } catch (error) {
      if (!(error instanceof MetricError)) throw error;
      say('Warning', error.reason, error.problem);
      statuses.push({ type: '' });
      failures.push(error);
    }
  }
  const [first] = failures;
  const problem = first && `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first.message}`;
  if (first && (!best || best.replicas < specReplicas)) {
    const message = `the HPA was unable to compute the replica count: ${first.problem}`;
    conditions.set('ScalingActive', { status: 'False', reason: first.reason, message });
    return { best: undefined, statuses, problem: problem ?? '' };
  }
  const message = `the HPA was able to successfully calculate a replica count from ${best?.metric ?? ''}`;
  conditions.set('ScalingActive', { status: 'True', reason: 'ValidMetricFound', message });
  return { best, statuses, ...(problem === undefined ? {} : { problem }) };
}

interface SelectedPods {
  readonly selector: string;
  readonly pods: readonly DeepReadonly<Pod>[];
}

/** The target's Pods, or the reason why they cannot be selected. */
function select({ target, conditions, say, pods, rivals }: WishInput): SelectedPods | string {
  const selector = target.scale.status?.selector ?? '';
  const refuse = (event: string, reason: string, problem: string, message = problem): string => {
    say('Warning', event, problem);
    conditions.set('ScalingActive', { status: 'False', reason, message });
    return problem;
  };
  if (selector === '')
    return refuse('SelectorRequired', 'InvalidSelector', 'selector is required', "the HPA target's scale is missing a selector");
  let matcher: LabelMatcher;
  try {
    matcher = parseLabelSelector(selector);
  } catch (error) {
    const problem = `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`;
    return refuse('InvalidSelector', 'InvalidSelector', problem);
  }
  const selected = pods(matcher);
  const others = rivals(selector, selected);
  if (others.length > 1) {
    const problem = `pods by selector ${selector} are controlled by multiple HPAs: [${others.join(' ')}]`;
    return refuse('AmbiguousSelector', 'AmbiguousSelector', problem);
  }
  return { selector, pods: selected };
}
