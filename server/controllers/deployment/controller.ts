import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { findController } from '../../../api/meta/owner-references.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isEmptyLabelSelector, matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { Deployment, ReplicaSet } from '../../../api/types/apps-v1.ts';
import { claimDependents } from '../runtime/claim-dependents.ts';
import {
  type ControllerDependencies,
  type ControllerSetup,
  defineController,
  done,
  owning,
  type ReconcileResult,
  requeueAfterSeconds,
  watching,
} from '../runtime/define-controller.ts';
import { dependentsAndOrphans, dependentsOf, indexByController } from '../runtime/dependents.ts';
import { rules } from './rbac.ts';
import { hasOldPods } from './old-pods.ts';
import { annotationKeys, findCount, sizeOf } from './revisions.ts';
import { Rollout } from './rollout.ts';
import {
  deploymentStatus,
  findConditionOf,
  hasProgressDeadline,
  isComplete,
  newCondition,
  progressReasons,
  rolloutStatus,
  secondsUntilDeadline,
  withDeploymentCondition,
} from './rollout-status.ts';
import { planRollingNew, planRollingOld, planScale } from './scale-plan.ts';

/** Brings a Deployment's Pods to its template, ReplicaSet by ReplicaSet, and keeps the history of its revisions. */
export const deploymentController = defineController({
  name: 'deployment-controller',
  account: 'deployment-controller',
  for: deployments,
  watches: [
    owning(replicaSets, deployments),
    // An orphan may be adopted by whichever Deployments select it.
    watching(replicaSets, (set, { lister }) => {
      if (findController(set) !== undefined) return [];
      const matches = (deployment: DeepReadonly<Deployment>) =>
        !isEmptyLabelSelector(deployment.spec?.selector) && matchesLabelSelector(deployment.spec?.selector, set.metadata.labels);
      return lister(deployments)
        .list({ namespace: set.metadata.namespace ?? '', matches })
        .map(keyOf);
    }),
  ],
  rules,
  setUp(setup) {
    indexByController(setup.informer(replicaSets));
    indexByController(setup.informer(pods));
    followLastPods(setup);
    return (key) => reconcile(setup, key);
  },
});

/** Enqueues the Deployment when the last Pod of the old template is gone, which Recreate waits for and no other watch reports. */
function followLastPods(setup: ControllerSetup): void {
  setup.informer(pods).addHandler({
    onDelete(pod) {
      const namespace = pod.metadata.namespace ?? '';
      const setReference = findController(pod);
      if (setReference?.kind !== 'ReplicaSet') return;
      const set = setup.lister(replicaSets).find({ namespace, name: setReference.name });
      const reference = set === undefined ? undefined : findController(set);
      if (reference?.kind !== 'Deployment') return;
      const key = { namespace, name: reference.name };
      if (setup.lister(deployments).find(key)?.spec?.strategy?.type === 'Recreate') setup.enqueue(key);
    },
  });
}

async function reconcile(setup: ControllerSetup, key: ObjectKey): Promise<ReconcileResult> {
  const deployment = setup.lister(deployments).find(key);
  if (deployment === undefined) return done;
  if (isEmptyLabelSelector(deployment.spec?.selector)) {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.';
    setup.events.event(referenceTo(deployments, deployment), 'Warning', 'SelectingAll', message);
    return done;
  }
  const sets = await claimDependents<Deployment, ReplicaSet>({
    client: setup.client,
    owner: deployment,
    ownerResource: deployments,
    selector: deployment.spec?.selector,
    resource: replicaSets,
    objects: dependentsAndOrphans(setup.informer(replicaSets), deployment),
  });
  const rollout = new Rollout(setup, deployment, sets);
  if (deployment.metadata.deletionTimestamp !== undefined) {
    await rollout.writeStatus(deploymentStatus(rollout.deployment, rollout.allSets, rollout.newSet, rollout.now()));
    return done;
  }
  await recordPause(rollout);
  const isScaled = sets.some((set) => {
    const desired = findCount(set, annotationKeys.desiredReplicas);
    return sizeOf(set) > 0 && desired !== undefined && desired !== (deployment.spec?.replicas ?? 1);
  });
  if (deployment.spec?.paused || isScaled) return await scaleOnly(rollout);
  if (deployment.spec?.strategy?.type === 'Recreate') await recreate(setup, rollout);
  else await roll(rollout);
  return await reportRollout(setup, rollout);
}

/** The progress deadline does not run while a Deployment is paused, and begins anew when it is resumed. */
async function recordPause(rollout: Rollout): Promise<void> {
  const { deployment } = rollout;
  if (!hasProgressDeadline(deployment)) return;
  const conditions = deployment.status?.conditions ?? [];
  const progress = findConditionOf(conditions, 'Progressing');
  if (progress?.reason === progressReasons.timedOut) return;
  const isRecorded = progress?.reason === progressReasons.paused;
  const isPaused = deployment.spec?.paused === true;
  if (isPaused === isRecorded) return;
  const condition = isPaused
    ? newCondition('Progressing', 'Unknown', progressReasons.paused, 'Deployment is paused', rollout.now())
    : newCondition('Progressing', 'Unknown', progressReasons.resumed, 'Deployment is resumed', rollout.now());
  await rollout.writeStatus({ ...deployment.status, conditions: [...withDeploymentCondition(conditions, condition)] as typeof conditions });
}

/** Sizes follow `spec.replicas`, but nothing is rolled out. */
async function scaleOnly(rollout: Rollout): Promise<ReconcileResult> {
  if (rollout.newSet !== undefined) await rollout.syncRevision(rollout.newSet);
  await rollout.scale(planScale(rollout.deployment, rollout.newSet, rollout.oldSets));
  if (rollout.deployment.spec?.paused) await rollout.cleanUp();
  await rollout.writeStatus(deploymentStatus(rollout.deployment, rollout.allSets, rollout.newSet, rollout.now()));
  return done;
}

async function roll(rollout: Rollout): Promise<void> {
  const newSet = await rollout.ensureNewSet();
  const growth = planRollingNew(rollout.deployment, newSet, rollout.oldSets);
  if (growth !== undefined) return void (await rollout.scale([growth]));
  if (await rollout.scale(planRollingOld(rollout.deployment, newSet, rollout.oldSets))) return;
  if (isComplete(rollout.deployment, rollout.deployment.status)) await rollout.cleanUp();
}

async function recreate({ informer }: ControllerSetup, rollout: Rollout): Promise<void> {
  if (rollout.newSet !== undefined) await rollout.syncRevision(rollout.newSet);
  const shrink = rollout.oldSets.filter((set) => sizeOf(set) > 0).map((set) => ({ set, replicas: 0 }));
  if (await rollout.scale(shrink)) return;
  // Pods of two templates never run at the same time, not even while the old ones terminate.
  if (rollout.oldSets.some((set) => hasOldPods(set, dependentsOf(informer(pods), set.metadata.uid ?? '')))) return;
  const newSet = await rollout.ensureNewSet();
  const desired = rollout.deployment.spec?.replicas ?? 1;
  if (sizeOf(newSet) !== desired) await rollout.scale([{ set: newSet, replicas: desired }]);
  if (isComplete(rollout.deployment, rollout.deployment.status)) await rollout.cleanUp();
}

async function reportRollout({ clock }: ControllerDependencies, rollout: Rollout): Promise<ReconcileResult> {
  const nowMs = clock.nowMs();
  const status = rolloutStatus(rollout.deployment, rollout.allSets, rollout.newSet, { now: rollout.now(), nowMs });
  const seconds = secondsUntilDeadline(rollout.deployment, status, nowMs);
  await rollout.writeStatus(status);
  return seconds === undefined ? done : requeueAfterSeconds(seconds);
}
