import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatKey, type ObjectKey } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { horizontalPodAutoscalers } from '../../../api/resources/autoscaling/v2/horizontal-pod-autoscaler.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus } from '../../../api/types/autoscaling-v2.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { type ControllerSetup, defineController, done, type Reconcile, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { autoscale, type AutoscaleResult } from './autoscale.ts';
import { type Conditions, createConditions } from './conditions.ts';
import { createMetricReader } from './metric-readings.ts';
import { rules } from './rbac.ts';
import { readScaleTarget } from './scale-target.ts';
import type { ScalingHistory } from './scaling-history.ts';

const periodSeconds = 15;

/** Scales the targets of HorizontalPodAutoscalers so that their metrics come near the target values. */
export const horizontalPodAutoscalerController = defineController({
  name: 'horizontal-pod-autoscaler-controller',
  account: 'horizontal-pod-autoscaler',
  component: 'horizontal-pod-autoscaler',
  for: horizontalPodAutoscalers,
  // A change of its own status enqueues nothing.
  concerns: ({ metadata }, old) => metadata.generation !== old.metadata.generation || metadata.uid !== old.metadata.uid,
  reads: [pods],
  rules,
  setUp,
});

interface Known {
  readonly uid: string | undefined;
  readonly history: ScalingHistory;
}

function setUp(setup: ControllerSetup): Reconcile {
  const { client, lister, clock, events, logger, signal } = setup;
  const known = new Map<string, Known>();
  /** Selectors of the targets, as last seen, by autoscaler. */
  const selectors = new Map<string, string>();
  return async (key) => {
    const autoscaler = lister(horizontalPodAutoscalers).find(key);
    const id = formatKey(key);
    if (!autoscaler) {
      known.delete(id);
      selectors.delete(id);
      return done;
    }
    const { uid } = autoscaler.metadata;
    const nowMs = clock.nowMs();
    const conditions = createConditions(autoscaler.status?.conditions, formatTime(nowMs));
    const before = known.get(id);
    const result = await autoscale({
      autoscaler,
      conditions,
      nowMs,
      say: (type, reason, message) => events.event(referenceTo(horizontalPodAutoscalers, autoscaler), type, reason, message),
      readTarget: () => readScaleTarget(client, key.namespace, autoscaler.spec.scaleTargetRef, signal),
      reader: createMetricReader(client, key.namespace, signal),
      pods: (matcher) => lister(pods).list({ namespace: key.namespace, matches: ({ metadata }) => matcher.matches(metadata.labels ?? {}) }),
      rivals(selector, selected) {
        selectors.set(id, selector);
        return rivals(selectors, key, selected);
      },
      history: before && before.uid === uid ? before.history : undefined,
    });
    known.set(id, { uid, history: result.history });
    if (result.problem !== undefined) logger.debug('an autoscaler could not do all it should', { key: id, problem: result.problem });
    await writeStatus(setup, autoscaler, statusOf(autoscaler, result, conditions, formatTime(nowMs)));
    return requeueAfterSeconds(periodSeconds);
  };
}

/** All autoscalers of the namespace whose targets select any of the Pods. */
function rivals(selectors: ReadonlyMap<string, string>, { namespace }: ObjectKey, selected: readonly DeepReadonly<Pod>[]): string[] {
  return [...selectors]
    .filter(([id, selector]) => {
      if (!id.startsWith(`${namespace}/`)) return false;
      const matcher = parseLabelSelector(selector);
      return selected.some(({ metadata }) => matcher.matches(metadata.labels ?? {}));
    })
    .map(([id]) => id);
}

function statusOf(
  autoscaler: DeepReadonly<HorizontalPodAutoscaler>,
  { status }: AutoscaleResult,
  conditions: Conditions,
  now: string,
): HorizontalPodAutoscalerStatus {
  const before = mutableCopy<HorizontalPodAutoscalerStatus>(autoscaler.status ?? { desiredReplicas: 0 });
  const { generation } = autoscaler.metadata;
  return {
    ...before,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(status
      ? {
          currentReplicas: status.currentReplicas,
          desiredReplicas: status.desiredReplicas ?? before.desiredReplicas,
          currentMetrics: status.currentMetrics.length > 0 ? [...status.currentMetrics] : null,
          ...(status.hasScaled ? { lastScaleTime: now } : {}),
        }
      : {}),
    conditions: conditions.list(),
  };
}

async function writeStatus(
  { client, events }: ControllerSetup,
  autoscaler: DeepReadonly<HorizontalPodAutoscaler>,
  status: HorizontalPodAutoscalerStatus,
): Promise<void> {
  if (isSemanticallyEqual(status, autoscaler.status)) return;
  try {
    await ignoreNotFound(client(horizontalPodAutoscalers).updateStatus({ ...mutableCopy<HorizontalPodAutoscaler>(autoscaler), status }));
  } catch (error) {
    if (hasReason(error, 'Conflict')) return; // changed meanwhile: the next look is on its way
    const message = error instanceof Error ? error.message : String(error);
    events.event(referenceTo(horizontalPodAutoscalers, autoscaler), 'Warning', 'FailedUpdateStatus', message);
    throw error;
  }
}
