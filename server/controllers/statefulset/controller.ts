import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { isControlledBy } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { controllerRevisions } from '../../../api/resources/apps/v1/controller-revision.ts';
import { statefulSets } from '../../../api/resources/apps/v1/stateful-set.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isEmptyLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { ControllerRevision, StatefulSet } from '../../../api/types/apps-v1.ts';
import type { Pod, PodTemplateSpec } from '../../../api/types/core-v1.ts';
import { claimDependents } from '../runtime/claim-dependents.ts';
import { cleanRevisions, ensureRevision, RevisionCollision, sortRevisions, templateOfRevision } from '../runtime/controller-revisions.ts';
import {
  type ControllerSetup,
  defineController,
  done,
  owning,
  type ReconcileResult,
  requeueAfterSeconds,
} from '../runtime/define-controller.ts';
import { dependentsAndOrphans, indexByController } from '../runtime/dependents.ts';
import { Expectations } from '../runtime/expectations.ts';
import { followPods } from '../runtime/follow-pods.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { isSameStatus } from '../runtime/status-equality.ts';
import { rules } from './rbac.ts';
import { ensureClaims, hasStaleClaim, syncClaimOwners } from './set-claims.ts';
import { planSet, revisionOf, setStatus, type SetInput, type SetStep } from './set-plan.ts';
import { ordinalOf, podOfSet, startOrdinal, withIdentity } from './set-pod.ts';

/** How often it is asked whether the claims of an earlier Pod have gone. */
const staleClaimSeconds = 1;
const hashLabel = 'controller.kubernetes.io/hash';

/** Keeps Pods with their own names and storage, created, deleted and updated in order. */
export const statefulSetController = defineController({
  name: 'statefulset-controller',
  account: 'statefulset-controller',
  for: statefulSets,
  reads: [persistentVolumeClaims],
  watches: [owning(controllerRevisions, statefulSets)],
  rules,
  setUp(setup) {
    indexByController(setup.informer(pods));
    indexByController(setup.informer(controllerRevisions));
    followPods(setup, {
      resource: statefulSets,
      // Names are fixed: nothing can be created twice.
      expectations: new Expectations(setup.clock),
      selectorOf: (set) => set.spec?.selector,
      minReadySecondsOf: (set) => set.spec?.minReadySeconds ?? 0,
    });
    return (key) => reconcile(setup, key);
  },
});

async function reconcile(setup: ControllerSetup, key: ObjectKey): Promise<ReconcileResult> {
  const set = setup.lister(statefulSets).find(key);
  if (set === undefined || isEmptyLabelSelector(set.spec?.selector)) return done;
  const claim = { client: setup.client, owner: set, ownerResource: statefulSets, selector: set.spec?.selector };
  const orphanRevisions = dependentsAndOrphans(setup.informer(controllerRevisions), set);
  const revisions = await claimDependents<StatefulSet, ControllerRevision>({
    ...claim,
    resource: controllerRevisions,
    objects: orphanRevisions,
  });
  const candidates = dependentsAndOrphans(setup.informer(pods), set);
  const named = candidates.filter((pod) => isControlledBy(pod, set) || ordinalOf(pod, set) !== undefined);
  const own = await claimDependents<StatefulSet, Pod>({ ...claim, resource: pods, objects: named });
  if (set.metadata.deletionTimestamp !== undefined) return done;

  const update = await ensureUpdateRevision(setup, set, revisions);
  const current = sortRevisions(revisions).find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  const input: SetInput = {
    set,
    pods: own,
    currentRevision: current.metadata.name ?? '',
    updateRevision: update.metadata.name ?? '',
    nowMs: setup.clock.nowMs(),
  };
  await syncAllClaimOwners(setup, set, own);
  const templates = { current: templateOfRevision(current), update: templateOfRevision(update) };
  let failure: unknown;
  let waitsForClaim = false;
  for (const step of planSet(input)) {
    waitsForClaim = step.kind === 'create' && hasStaleClaim(setup, set, step.ordinal);
    if (waitsForClaim) break;
    try {
      await perform(setup, input, templates, step);
    } catch (error) {
      failure ??= error;
      if (set.spec?.podManagementPolicy !== 'Parallel') break;
    }
  }
  const status = setStatus(input, set.status?.collisionCount ?? 0);
  if (!isSameStatus(status, set.status)) await setup.client(statefulSets).updateStatus({ ...mutableCopy<StatefulSet>(set), status });
  if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure;
  const live = new Set([input.currentRevision, input.updateRevision, ...own.map(revisionOf)]);
  await cleanRevisions(setup.client, revisions, set.spec?.revisionHistoryLimit ?? 10, ({ metadata }) => live.has(metadata.name ?? ''));
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  if (waitsForClaim) return requeueAfterSeconds(staleClaimSeconds);
  const isWaiting = minReadySeconds > 0 && (status.readyReplicas ?? 0) !== (status.availableReplicas ?? 0);
  return isWaiting ? requeueAfterSeconds(minReadySeconds) : done;
}

async function ensureUpdateRevision(
  { client }: ControllerSetup,
  set: DeepReadonly<StatefulSet>,
  revisions: readonly DeepReadonly<ControllerRevision>[],
): Promise<DeepReadonly<ControllerRevision>> {
  const collisionCount = set.status?.collisionCount;
  const template = set.spec?.template ?? {};
  try {
    return await ensureRevision({ client, owner: set, resource: statefulSets, template, collisionCount, hashLabel }, revisions);
  } catch (error) {
    if (error instanceof RevisionCollision) {
      const copy = mutableCopy<StatefulSet>(set);
      await client(statefulSets).updateStatus({
        ...copy,
        status: { replicas: 0, ...copy.status, collisionCount: (collisionCount ?? 0) + 1 },
      });
    }
    throw error;
  }
}

async function syncAllClaimOwners(
  setup: ControllerSetup,
  set: DeepReadonly<StatefulSet>,
  own: readonly DeepReadonly<Pod>[],
): Promise<void> {
  const start = startOrdinal(set);
  for (const pod of own) {
    const ordinal = ordinalOf(pod, set);
    if (ordinal === undefined) continue;
    const isCondemned = ordinal < start || ordinal >= start + (set.spec?.replicas ?? 1);
    await syncClaimOwners(setup, set, pod, ordinal, isCondemned);
  }
}

async function perform(
  setup: ControllerSetup,
  { set, currentRevision, updateRevision }: SetInput,
  templates: Readonly<Record<'current' | 'update', PodTemplateSpec>>,
  step: SetStep,
): Promise<void> {
  switch (step.kind) {
    case 'create': {
      await ensureClaims(setup, set, step.ordinal);
      const revision = step.revision === 'current' ? currentRevision : updateRevision;
      return await create(setup, set, podOfSet(set, templates[step.revision], revision, step.ordinal));
    }
    case 'delete':
      return await remove(setup, set, step.pod);
    case 'replace': {
      const { namespace, name } = set.metadata;
      const hasFailed = step.pod.status?.phase === 'Failed';
      const message = `StatefulSet ${namespace}/${name} is recreating ${hasFailed ? 'failed' : 'terminated'} Pod ${step.pod.metadata.name}`;
      const reason = hasFailed ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod';
      setup.events.event(referenceTo(statefulSets, set), hasFailed ? 'Warning' : 'Normal', reason, message);
      return await remove(setup, set, step.pod);
    }
    case 'identify':
      return void (await setup.client(pods).update(withIdentity(step.pod, step.ordinal)));
  }
}

async function create({ client, events }: ControllerSetup, set: DeepReadonly<StatefulSet>, pod: Pod): Promise<void> {
  const what = `create Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  try {
    await client(pods).create(pod);
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) {
      const present = await ignoreNotFound(client(pods).get(keyOf(pod)));
      // The cache did not show it yet.
      if (present !== undefined && isControlledBy(present, set)) return;
    }
    if (!isNamespaceTerminating(error)) {
      events.event(referenceTo(statefulSets, set), 'Warning', 'FailedCreate', `${what} failed error: ${messageOf(error)}`);
    }
    throw error;
  }
  events.event(referenceTo(statefulSets, set), 'Normal', 'SuccessfulCreate', `${what} successful`);
}

async function remove({ client, events }: ControllerSetup, set: DeepReadonly<StatefulSet>, pod: DeepReadonly<Pod>): Promise<void> {
  const what = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  try {
    const gone = await ignoreNotFound(client(pods).delete(keyOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } }));
    if (gone === undefined) return;
  } catch (error) {
    events.event(referenceTo(statefulSets, set), 'Warning', 'FailedDelete', `${what} failed error: ${messageOf(error)}`);
    throw error;
  }
  events.event(referenceTo(statefulSets, set), 'Normal', 'SuccessfulDelete', `${what} successful`);
}
