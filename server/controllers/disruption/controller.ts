import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { findController, type OwnerReferenceLike } from '../../../api/meta/owner-references.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { replicationControllers } from '../../../api/resources/core/v1/replication-controller.ts';
import { podDisruptionBudgets } from '../../../api/resources/policy/v1/pod-disruption-budget.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import { isPodReady } from '../../../api/semantics/pods/pod-conditions.ts';
import type { Scale as AutoscalingScale } from '../../../api/types/autoscaling-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodDisruptionBudget } from '../../../api/types/policy-v1.ts';
import {
  type ControllerDependencies,
  defineController,
  done,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { findResource } from '../runtime/find-resource.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { budgetStatus, disruptedPods, expectedPods, failedStatus, needsScale } from './budget-status.ts';
import { rules } from './rbac.ts';

/** Keeps count of how many Pods of each PodDisruptionBudget may be taken down at will. */
export const disruptionController = defineController({
  name: 'disruption-controller',
  account: 'disruption-controller',
  component: 'controllermanager',
  for: podDisruptionBudgets,
  reads: [deployments, replicaSets, replicationControllers, statefulSets],
  watches: [watching(pods, budgetsOf, hasHealthChanged)],
  spacing: 3,
  rules,
  reconcile,
});

function budgetsOf(pod: DeepReadonly<Pod>, { lister }: ControllerDependencies): ObjectKey[] {
  const matches = (budget: DeepReadonly<PodDisruptionBudget>) => matchesLabelSelector(budget.spec?.selector, pod.metadata.labels);
  return lister(podDisruptionBudgets)
    .list({ namespace: pod.metadata.namespace ?? '', matches })
    .map(keyOf);
}

function hasHealthChanged(pod: DeepReadonly<Pod>, old: DeepReadonly<Pod>): boolean {
  const seen = (one: DeepReadonly<Pod>) => [isPodReady(one), one.metadata.deletionTimestamp, one.metadata.labels, findController(one)?.uid];
  return !isSemanticallyEqual(seen(pod), seen(old));
}

async function reconcile(key: ObjectKey, dependencies: ControllerDependencies): Promise<ReconcileResult> {
  const { lister, client, clock, events } = dependencies;
  const budget = lister(podDisruptionBudgets).find(key);
  if (budget === undefined) return done;
  const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.event(referenceTo(podDisruptionBudgets, budget), type, reason, message);
  const matches = (pod: DeepReadonly<Pod>) => matchesLabelSelector(budget.spec?.selector, pod.metadata.labels);
  const matching = lister(pods).list({ namespace: key.namespace, matches });
  if (matching.length === 0) say('Normal', 'NoPods', 'No matching pods found');
  const nowMs = clock.nowMs();
  const now = formatTime(nowMs);
  const write = async (status: PodDisruptionBudget['status']) => {
    if (status === undefined || isSemanticallyEqual(status, budget.status)) return;
    await ignoreNotFound(client(podDisruptionBudgets).updateStatus({ ...mutableCopy<PodDisruptionBudget>(budget), status }));
  };
  let scale = 0;
  try {
    if (needsScale(budget)) scale = await scaleOf(dependencies, matching);
  } catch (error) {
    say('Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${messageOf(error)}`);
    await write(failedStatus(budget, messageOf(error), now));
    throw error;
  }
  const disrupted = disruptedPods(budget, matching, nowMs);
  for (const pod of disrupted.overdue) {
    const message = `Pod was expected by PDB ${key.namespace}/${key.name} to be deleted but it wasn't`;
    events.event(referenceTo(pods, pod), 'Warning', 'NotDeleted', message);
  }
  await write(budgetStatus(budget, matching, expectedPods(budget, matching, scale), disrupted.kept, now));
  return disrupted.recheckMs === undefined ? done : requeueAfterSeconds(Math.max(0.1, (disrupted.recheckMs - nowMs) / 1000));
}

/** The sum of the scales of the Pods' controllers, each counted once. Pods without a controller count for nothing. */
async function scaleOf(dependencies: ControllerDependencies, matching: readonly DeepReadonly<Pod>[]): Promise<number> {
  const counted = new Set<string>();
  let total = 0;
  for (const pod of matching) {
    const reference = findController(pod);
    if (reference === undefined || counted.has(reference.uid)) continue;
    counted.add(reference.uid);
    const scale = await findScale(dependencies, pod.metadata.namespace ?? '', reference);
    if (scale === undefined) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
    // Several ReplicaSets of one Deployment count as one controller.
    if (!counted.has(`scale of ${scale.uid}`)) total += scale.replicas;
    counted.add(`scale of ${scale.uid}`);
  }
  return total;
}

interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

async function findScale(
  dependencies: Pick<ControllerDependencies, 'lister' | 'client' | 'signal'>,
  namespace: string,
  reference: OwnerReferenceLike,
): Promise<Scale | undefined> {
  const { lister } = dependencies;
  const key = { namespace, name: reference.name };
  const sized = (owner: { readonly metadata: { readonly uid?: string }; readonly spec?: { readonly replicas?: number } } | undefined) =>
    owner?.metadata.uid === reference.uid ? { uid: reference.uid, replicas: owner.spec?.replicas ?? 1 } : undefined;
  switch (builtIn(reference)) {
    case 'ReplicationController':
      return sized(lister(replicationControllers).find(key));
    case 'StatefulSet':
      return sized(lister(statefulSets).find(key));
    case 'Deployment':
      return sized(lister(deployments).find(key));
    case 'ReplicaSet': {
      const set = lister(replicaSets).find(key);
      const deployment = set === undefined ? undefined : findController(set);
      return deployment && builtIn(deployment) === 'Deployment' ? findScale(dependencies, namespace, deployment) : sized(set);
    }
    default:
      return readScale(dependencies, namespace, reference);
  }
}

/** The kind of a controller; undefined: one of another group, which may have the same name. */
function builtIn({ apiVersion = '', kind }: OwnerReferenceLike): string | undefined {
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : [''];
  return group === (kind === 'ReplicationController' ? '' : 'apps') ? kind : undefined;
}

/** The scale of a controller by its scale subresource, as custom kinds have it; undefined: it is gone, or another of its name is there. */
async function readScale(
  { client, signal }: Pick<ControllerDependencies, 'client' | 'signal'>,
  namespace: string,
  reference: OwnerReferenceLike,
): Promise<Scale | undefined> {
  const { resource, subresources } = await findResource(client, reference, signal);
  const name = resource.group === '' ? resource.names.plural : `${resource.names.plural}.${resource.group}`;
  if (!subresources.includes('scale')) throw new Error(`${name} does not implement the scale subresource`);
  const scale = await ignoreNotFound(
    client(resource).getSubresource<AutoscalingScale>({ namespace, name: reference.name }, 'scale', { signal }),
  );
  return scale?.metadata?.uid === reference.uid ? { uid: reference.uid, replicas: scale.spec?.replicas ?? 0 } : undefined;
}
