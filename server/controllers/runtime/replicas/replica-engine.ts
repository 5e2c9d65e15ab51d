import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../../api/base/mutable-copy.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { formatKey, type KubeObject, keyOf, type ObjectKey } from '../../../../api/meta/object.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { formatTime } from '../../../../api/meta/time.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import { isPodActive, isPodFinished } from '../../../../api/semantics/pods/pod-phase.ts';
import type { Pod, PodTemplateSpec } from '../../../../api/types/core-v1.ts';
import type { LabelSelector } from '../../../../api/types/meta-v1.ts';
import { claimDependents } from '../claim-dependents.ts';
import { type ControllerSetup, done, type Reconcile, type ReconcileResult, requeueAfterSeconds } from '../define-controller.ts';
import { dependentsAndOrphans, indexByController } from '../dependents.ts';
import { Expectations } from '../expectations.ts';
import { followPods } from '../follow-pods.ts';
import { createPod, deletePod, isNamespaceTerminating, messageOf, podFromTemplate } from '../pod-control.ts';
import { slowStart } from '../slow-start.ts';
import { isSameStatus } from '../status-equality.ts';
import { podsToDelete } from './deletion-order.ts';
import { replicaStatus, type ReplicaStatus, secondsUntilAvailable } from './replica-status.ts';

/** How the engine sees a kind whose objects keep a number of equal Pods. */
interface ReplicatedKind<O extends KubeObject & { status?: S }, S extends ReplicaStatus> {
  readonly resource: ResourceDefinition<O>;
  describe(owner: DeepReadonly<O>): ReplicatedSpec;
  /** Whether the kind's status has terminatingReplicas. */
  readonly countsTerminating: boolean;
  /** Pods that count as of the same sort when it is decided which to delete: at least the owner's own. */
  relatedPods(owner: DeepReadonly<O>, own: readonly DeepReadonly<Pod>[]): readonly DeepReadonly<Pod>[];
}

interface ReplicatedSpec {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: DeepReadonly<LabelSelector> | undefined;
  readonly template: DeepReadonly<PodTemplateSpec>;
}

/** The most Pods that are created or deleted in one reconciliation. */
const burst = 500;

interface Engine<O extends KubeObject & { status?: S }, S extends ReplicaStatus> {
  readonly setup: ControllerSetup;
  readonly kind: ReplicatedKind<O, S>;
  readonly expectations: Expectations;
}

/** Keeps as many Pods alive as the owner's spec asks for, and reports their state in its status. */
export function replicaEngine<O extends KubeObject & { status?: S }, S extends ReplicaStatus>(
  setup: ControllerSetup,
  kind: ReplicatedKind<O, S>,
): Reconcile {
  const expectations = new Expectations(setup.clock);
  const owners = setup.informer(kind.resource);
  const podInformer = setup.informer(pods);
  indexByController(podInformer);
  followPods(setup, {
    resource: kind.resource,
    expectations,
    selectorOf: (owner) => kind.describe(owner).selector,
    minReadySecondsOf: (owner) => kind.describe(owner).minReadySeconds,
  });
  owners.addHandler({ onDelete: (owner) => expectations.forget(formatKey(keyOf(owner))) });
  const engine: Engine<O, S> = { setup, kind, expectations };
  return async (key) => {
    const owner = owners.lister.find(key);
    if (owner === undefined) {
      expectations.forget(formatKey(key));
      return done;
    }
    return await reconcile(engine, key, owner);
  };
}

async function reconcile<O extends KubeObject & { status?: S }, S extends ReplicaStatus>(
  engine: Engine<O, S>,
  key: ObjectKey,
  owner: DeepReadonly<O>,
): Promise<ReconcileResult> {
  const { setup, kind, expectations } = engine;
  // Asked before the Pods are read: the Pods read after that can only be newer.
  const mayAct = expectations.isSatisfied(formatKey(key)) && owner.metadata.deletionTimestamp === undefined;
  const spec = kind.describe(owner);
  const candidates = dependentsAndOrphans(setup.informer(pods), owner).filter((pod) => !isPodFinished(pod));
  const claimed = await claimDependents({
    client: setup.client,
    owner,
    ownerResource: kind.resource,
    selector: spec.selector,
    resource: pods,
    objects: candidates,
  });
  const active = claimed.filter(isPodActive);
  const terminating = claimed.filter((pod) => !isPodActive(pod));

  const outcome = mayAct ? await adjust(engine, key, owner, spec, active) : {};
  const nowMs = setup.clock.nowMs();
  const status = replicaStatus({
    present: owner.status as DeepReadonly<S> | undefined,
    generation: owner.metadata.generation ?? 0,
    templateLabels: spec.template.metadata?.labels ?? {},
    active,
    terminating: kind.countsTerminating ? terminating.length : undefined,
    minReadySeconds: spec.minReadySeconds,
    nowMs,
    ...(outcome.error === undefined
      ? {}
      : {
          failure: {
            reason: active.length < spec.replicas ? 'FailedCreate' : 'FailedDelete',
            message: messageOf(outcome.error),
            now: formatTime(nowMs),
          },
        }),
  });
  await writeStatus(engine, owner, status);
  if (outcome.error !== undefined) throw outcome.error;
  const seconds = secondsUntilAvailable(active, spec.minReadySeconds, nowMs);
  return seconds === undefined ? done : requeueAfterSeconds(seconds);
}

/** Creates missing Pods or deletes surplus ones. */
async function adjust<O extends KubeObject & { status?: S }, S extends ReplicaStatus>(
  engine: Engine<O, S>,
  key: ObjectKey,
  owner: DeepReadonly<O>,
  spec: ReplicatedSpec,
  active: readonly DeepReadonly<Pod>[],
): Promise<{ readonly error?: unknown }> {
  const { setup, kind, expectations } = engine;
  const id = formatKey(key);
  const missing = Math.min(spec.replicas - active.length, burst);
  if (missing === 0) return {};
  if (missing > 0) {
    expectations.expectCreations(id, missing);
    const { succeeded, error } = await slowStart(missing, async () => {
      try {
        await createPod(setup, podFromTemplate(spec.template, owner, kind.resource), owner, kind.resource);
      } catch (error) {
        // Nothing can be created any more, and all that is there is about to go.
        if (!isNamespaceTerminating(error)) throw error;
        expectations.creationObserved(id);
      }
    });
    for (let skipped = missing - succeeded; skipped > 0; skipped--) expectations.creationObserved(id);
    return error === undefined ? {} : { error };
  }
  const victims = podsToDelete(active, kind.relatedPods(owner, active), Math.min(-missing, burst), setup.clock.nowMs());
  expectations.expectDeletions(
    id,
    victims.map((pod) => pod.metadata.uid ?? ''),
  );
  const results = await Promise.allSettled(
    victims.map(async (pod) => {
      try {
        await deletePod(setup, pod, owner, kind.resource);
      } catch (error) {
        expectations.deletionObserved(id, pod.metadata.uid ?? '');
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  return failed === undefined ? {} : { error: failed.reason };
}

async function writeStatus<O extends KubeObject & { status?: S }, S extends ReplicaStatus>(
  { setup, kind }: Engine<O, S>,
  owner: DeepReadonly<O>,
  status: ReplicaStatus,
): Promise<void> {
  if (isSameStatus(owner.status, status)) return;
  const write = (base: O) => setup.client(kind.resource).updateStatus({ ...base, status: status as S });
  try {
    await ignoreNotFound(write(mutableCopy<O>(owner)));
  } catch (error) {
    if (!hasReason(error, 'Conflict')) throw error;
    // The spec may have changed meanwhile. The counts are right all the same, and observedGeneration tells which spec they belong to.
    const fresh = await ignoreNotFound(setup.client(kind.resource).get(keyOf(owner)));
    if (fresh !== undefined && fresh.metadata.uid === owner.metadata.uid) await ignoreNotFound(write(fresh));
  }
}
