import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { controllerReference, isControlledBy } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { deployments } from '../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../api/resources/apps/v1/replica-set.ts';
import { podTemplateHash } from '../../../api/semantics/pods/pod-template-hash.ts';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../../api/types/apps-v1.ts';
import type { ControllerDependencies } from '../runtime/define-controller.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { isSameStatus } from '../runtime/status-equality.ts';
import {
  annotationKeys,
  annotationsOfNewSet,
  findNewSet,
  isSameTemplate,
  maxRevision,
  setsToClean,
  sizeOf,
  templateHashLabel,
} from './revisions.ts';
import { findConditionOf, hasProgressDeadline, newCondition, progressReasons, withDeploymentCondition } from './rollout-status.ts';
import { maxReplicas, newSetSize, type ScaleStep } from './scale-plan.ts';

/** A Deployment with its ReplicaSets during one reconciliation. Written objects replace those that were read. */
export class Rollout {
  readonly #dependencies: ControllerDependencies;
  deployment: Deployment;
  #sets: Map<string, DeepReadonly<ReplicaSet>>;
  #newUid: string | undefined;

  constructor(dependencies: ControllerDependencies, deployment: DeepReadonly<Deployment>, sets: readonly DeepReadonly<ReplicaSet>[]) {
    this.#dependencies = dependencies;
    this.deployment = mutableCopy<Deployment>(deployment);
    this.#sets = new Map(sets.map((set) => [set.metadata.uid ?? '', set]));
    this.#newUid = findNewSet(deployment, sets)?.metadata.uid;
  }

  /** The ReplicaSet of the present template, if it exists. */
  get newSet(): DeepReadonly<ReplicaSet> | undefined {
    return this.#newUid === undefined ? undefined : this.#sets.get(this.#newUid);
  }

  get oldSets(): DeepReadonly<ReplicaSet>[] {
    return Array.from(this.#sets.values()).filter((set) => set.metadata.uid !== this.#newUid);
  }

  get allSets(): DeepReadonly<ReplicaSet>[] {
    return Array.from(this.#sets.values());
  }

  /** Brings revision numbers and copied annotations up to date; creates the new ReplicaSet if there is none. */
  async ensureNewSet(): Promise<DeepReadonly<ReplicaSet>> {
    return this.newSet === undefined ? await this.#createNewSet() : await this.syncRevision(this.newSet);
  }

  /** A ReplicaSet that is found again, after a rollback, becomes the newest revision. */
  async syncRevision(newSet: DeepReadonly<ReplicaSet>): Promise<DeepReadonly<ReplicaSet>> {
    const revision = maxRevision(this.oldSets) + 1n;
    const present = newSet.metadata.annotations ?? {};
    const annotations = annotationsOfNewSet(this.deployment, present, revision);
    const minReadySeconds = this.deployment.spec?.minReadySeconds ?? 0;
    let synced = newSet;
    if (!isEqual(annotations, present) || (newSet.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
      const changed = mutableCopy<ReplicaSet>(newSet);
      changed.metadata.annotations = annotations;
      if (changed.spec !== undefined) changed.spec.minReadySeconds = minReadySeconds;
      synced = this.#keep(await this.#dependencies.client(replicaSets).update(changed));
    }
    const isKnown = findConditionOf(this.deployment.status?.conditions, 'Progressing') !== undefined;
    const message = `Found new replica set "${newSet.metadata.name}"`;
    await this.#recordRevision(annotations[annotationKeys.revision] ?? '', isKnown ? undefined : [progressReasons.found, message]);
    return synced;
  }

  async #createNewSet(): Promise<DeepReadonly<ReplicaSet>> {
    const { client, events } = this.#dependencies;
    const { metadata, spec } = this.deployment;
    const template = structuredClone(spec?.template ?? {});
    const hash = podTemplateHash(template, this.deployment.status?.collisionCount);
    template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, [templateHashLabel]: hash } };
    const replicas = newSetSize(this.deployment, this.oldSets, 0);
    const revision = maxRevision(this.oldSets) + 1n;
    const wanted: ReplicaSet = {
      metadata: {
        name: `${metadata.name}-${hash}`,
        namespace: metadata.namespace ?? '',
        labels: { ...template.metadata.labels },
        annotations: { ...annotationsOfNewSet(this.deployment, {}, revision), ...this.#counts() },
        ownerReferences: [controllerReference(this.deployment, { apiVersion: 'apps/v1', kind: 'Deployment' })],
      },
      spec: {
        replicas,
        minReadySeconds: spec?.minReadySeconds ?? 0,
        selector: {
          ...spec?.selector,
          matchLabels: { ...spec?.selector?.matchLabels, [templateHashLabel]: hash },
        },
        template,
      },
    };
    let created: ReplicaSet | undefined;
    try {
      created = await client(replicaSets).create(wanted);
    } catch (error) {
      const existing = hasReason(error, 'AlreadyExists')
        ? await this.#resolveCollision(wanted, error)
        : await this.#creationFailed(wanted, error);
      this.#newUid = existing.metadata.uid;
      this.#keep(existing);
      await this.#recordRevision(String(revision), undefined);
      return existing;
    }
    this.#newUid = created.metadata.uid;
    this.#keep(created);
    if (replicas > 0) {
      const message = `Scaled up replica set ${created.metadata.name} from 0 to ${replicas}`;
      events.event(referenceTo(deployments, this.deployment), 'Normal', 'ScalingReplicaSet', message);
    }
    const progress = [progressReasons.created, `Created new replica set "${created.metadata.name}"`] as const;
    await this.#recordRevision(String(revision), progress);
    return created;
  }

  /** The name is taken: by our own of the same template, which the cache did not show, or by another hash alike. */
  async #resolveCollision(wanted: ReplicaSet, error: unknown): Promise<ReplicaSet> {
    const { client } = this.#dependencies;
    const existing = await client(replicaSets).get(keyOf(wanted));
    if (isControlledBy(existing, this.deployment) && isSameTemplate(existing.spec?.template, this.deployment.spec?.template))
      return existing;
    await this.writeStatus({ ...this.deployment.status, collisionCount: (this.deployment.status?.collisionCount ?? 0) + 1 });
    throw error;
  }

  async #creationFailed(wanted: ReplicaSet, error: unknown): Promise<never> {
    if (isNamespaceTerminating(error)) throw error;
    const message = `Failed to create new replica set "${wanted.metadata.name}": ${messageOf(error)}`;
    if (hasProgressDeadline(this.deployment)) {
      const condition = newCondition('Progressing', 'False', progressReasons.createError, message, this.now());
      const conditions = withDeploymentCondition(this.deployment.status?.conditions ?? [], condition);
      await this.writeStatus({ ...this.deployment.status, conditions: [...conditions] });
    }
    this.#dependencies.events.event(referenceTo(deployments, this.deployment), 'Warning', progressReasons.createError, message);
    throw error;
  }

  /** The Deployment shows the revision it is at. */
  async #recordRevision(revision: string, progress: readonly [string, string] | undefined): Promise<void> {
    const annotations = this.deployment.metadata.annotations ?? {};
    let conditions: DeploymentStatus['conditions'] = this.deployment.status?.conditions;
    if (progress !== undefined && hasProgressDeadline(this.deployment)) {
      const condition = newCondition('Progressing', 'True', progress[0], progress[1], this.now());
      conditions = [...withDeploymentCondition(conditions ?? [], condition)] as NonNullable<DeploymentStatus['conditions']>;
    }
    const isRecorded = annotations[annotationKeys.revision] === revision;
    if (isRecorded && isEqual(conditions, this.deployment.status?.conditions)) return;
    this.deployment.metadata.annotations = { ...annotations, [annotationKeys.revision]: revision };
    await this.writeStatus({ ...this.deployment.status, ...(conditions === undefined ? {} : { conditions }) }, isRecorded);
  }

  /** Performs the steps of a plan in order and reports each by an event. Returns whether there were any. */
  async scale(steps: readonly ScaleStep[]): Promise<boolean> {
    for (const { set, replicas } of steps) await this.#scaleOne(this.#sets.get(set.metadata.uid ?? '') ?? set, replicas);
    return steps.length > 0;
  }

  async #scaleOne(set: DeepReadonly<ReplicaSet>, replicas: number): Promise<void> {
    const { client, events } = this.#dependencies;
    const size = sizeOf(set);
    const counts = this.#counts();
    const isAnnotated = Object.entries(counts).every(([key, value]) => set.metadata.annotations?.[key] === value);
    if (size === replicas && isAnnotated) return;
    const changed = mutableCopy<ReplicaSet>(set);
    changed.metadata.annotations = { ...changed.metadata.annotations, ...counts };
    if (changed.spec !== undefined) changed.spec.replicas = replicas;
    this.#keep(await client(replicaSets).update(changed));
    if (size === replicas) return;
    const message = `Scaled ${size < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${size} to ${replicas}`;
    events.event(referenceTo(deployments, this.deployment), 'Normal', 'ScalingReplicaSet', message);
  }

  #counts(): Record<string, string> {
    return {
      [annotationKeys.desiredReplicas]: String(this.deployment.spec?.replicas ?? 1),
      [annotationKeys.maxReplicas]: String(maxReplicas(this.deployment)),
    };
  }

  /** Deletes old ReplicaSets beyond the history limit. */
  async cleanUp(): Promise<void> {
    for (const set of setsToClean(this.deployment, this.oldSets)) {
      await ignoreNotFound(this.#dependencies.client(replicaSets).delete(keyOf(set)));
    }
  }

  /** Writes the status if it differs; with `isUnchanged` false in any case, since annotations changed. */
  async writeStatus(status: DeploymentStatus, isUnchanged = true): Promise<void> {
    if (isUnchanged && isSameStatus(status, this.deployment.status)) return;
    this.deployment = await this.#dependencies.client(deployments).updateStatus({ ...this.deployment, status });
  }

  now(): string {
    return formatTime(this.#dependencies.clock.nowMs());
  }

  #keep(set: ReplicaSet): ReplicaSet {
    this.#sets.set(set.metadata.uid ?? '', set);
    return set;
  }
}
