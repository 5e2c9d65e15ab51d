import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { ResourceClient } from '../../../api/client/client.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import { retryOnConflict } from '../../../api/client/retry-on-conflict.ts';
import { formatKey, type KubeObject, type ObjectKey } from '../../../api/meta/object.ts';
import { hasReason, StatusError } from '../../../api/meta/status.ts';
import { formatGroupKind } from '../../../api/meta/group-resource.ts';
import { groupResource, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { OwnerReference } from '../../../api/types/meta-v1.ts';
import { type ControllerSetup, done, type ReconcileResult, requeueAfterSeconds, terminal } from '../runtime/define-controller.ts';
import {
  foregroundFinalizer,
  isDeletedInForeground,
  isOrphaningDependents,
  orphanFinalizer,
  type OwnerState,
  ownerState,
  planCollection,
} from './collection-plan.ts';
import { DependentsIndex, type Item, itemOf } from './dependents-index.ts';

type Object = DeepReadonly<KubeObject>;
type Owners = readonly DeepReadonly<OwnerReference>[];

/** When an object is looked at again whose owner exists and is in no cache. */
const unseenOwnerSeconds = 1;
/** Uids of owners that were found not to exist are remembered and not asked for again; a uid is never reused. */
const rememberedAbsent = 500;

/**
 * The garbage collector: follows every kind of object and deletes objects that have lost all their owners. Its caches can show that an
 * owner exists, but never that one is gone: that is asked of the API.
 */
export class Collector {
  readonly #setup: ControllerSetup;
  readonly #dependents = new DependentsIndex();
  readonly #resources = new Map<string, ResourceDefinition>();
  /** By group and kind, as owner references name them. */
  readonly #kinds = new Map<string, ResourceDefinition>();
  readonly #listers = new Map<ResourceDefinition, Lister<KubeObject>>();
  readonly #absent = new Set<string>();

  constructor(setup: ControllerSetup) {
    this.#setup = setup;
  }

  follows(resource: ResourceDefinition): boolean {
    return this.#resources.has(groupResource(resource));
  }

  /** Follows the objects of a resource, by the informers of all controllers unless others are given. */
  follow(resource: ResourceDefinition, informers: Pick<ControllerSetup, 'informer'> = this.#setup): void {
    if (this.follows(resource)) return;
    this.#resources.set(groupResource(resource), resource);
    this.#kinds.set(`${resource.group}/${resource.names.kind}`, resource);
    const informer = informers.informer(resource);
    this.#listers.set(resource, informer.lister);
    informer.addHandler({
      onAdd: (object) => this.#observe(resource, object, undefined),
      onUpdate: (object, old) => this.#observe(resource, object, old),
      onDelete: (object) => this.#observeDeletion(resource, object),
    });
  }

  /** Forgets a resource that is not served any more, or not in that version. */
  unfollow(resource: ResourceDefinition): void {
    if (this.#resources.get(groupResource(resource)) !== resource) return;
    this.#resources.delete(groupResource(resource));
    const kind = `${resource.group}/${resource.names.kind}`;
    if (this.#kinds.get(kind) === resource) this.#kinds.delete(kind);
    this.#listers.delete(resource);
  }

  /** Handles one key that `follow` has enqueued. */
  async reconcile(key: ObjectKey): Promise<ReconcileResult> {
    const item = this.#itemOfKey(key);
    if (item === undefined) return done;
    return key.namespace === 'orphan' ? await this.#orphan(item) : await this.#collect(item);
  }

  #enqueue(purpose: 'delete' | 'orphan', { resource, key, uid }: Item): void {
    // Names may contain any character but a slash and a percent sign, so the parts of the key are encoded as JSON.
    this.#setup.enqueue({ namespace: purpose, name: JSON.stringify([groupResource(resource), key.namespace, key.name, uid]) });
  }

  #itemOfKey({ name }: ObjectKey): Item | undefined {
    const [id = '', namespace = '', objectName = '', uid = ''] = JSON.parse(name) as string[];
    const resource = this.#resources.get(id);
    return resource === undefined ? undefined : { resource, key: { namespace, name: objectName }, uid };
  }

  #observe(resource: ResourceDefinition, object: Object, old: Object | undefined): void {
    const item = itemOf(resource, object);
    const owners: Owners = object.metadata.ownerReferences ?? [];
    const oldOwners: Owners = old?.metadata.ownerReferences ?? [];
    if (owners.length > 0 || oldOwners.length > 0) this.#dependents.set(item, owners, oldOwners);
    if (!isEqual(owners, oldOwners)) {
      this.#enqueueReleased(oldOwners, owners, object.metadata.namespace ?? '');
      if (owners.some((owner) => this.#cachedState(owner, object) !== 'solid')) this.#enqueue('delete', item);
    }
    if (isOrphaningDependents(object.metadata)) this.#enqueue('orphan', item);
    const isWaiting = isDeletedInForeground(object.metadata);
    if (isWaiting && (old === undefined || !isDeletedInForeground(old.metadata))) {
      for (const dependent of this.#dependents.of(item.uid)) this.#enqueue('delete', dependent);
      this.#enqueue('delete', item);
    }
  }

  #observeDeletion(resource: ResourceDefinition, object: Object): void {
    const { uid } = itemOf(resource, object);
    const owners: Owners = object.metadata.ownerReferences ?? [];
    this.#dependents.remove(uid, owners);
    const dependents = this.#dependents.of(uid);
    // The kind itself may be gone by the time that the API would be asked.
    if (dependents.length > 0) this.#rememberAbsent(uid);
    for (const dependent of dependents) this.#enqueue('delete', dependent);
    this.#enqueueReleased(owners, [], object.metadata.namespace ?? '');
  }

  /** Owners that were held back by the object, and are so no longer. */
  #enqueueReleased(before: Owners, after: Owners, namespace: string): void {
    for (const owner of before) {
      const now = after.find(({ uid }) => uid === owner.uid);
      if (!owner.blockOwnerDeletion || now?.blockOwnerDeletion) continue;
      const cached = this.#cachedOwner(owner, namespace);
      if (cached !== undefined && isDeletedInForeground(cached.object.metadata)) this.#enqueue('delete', cached.item);
    }
  }

  /** The definition of the kind that an owner reference names. */
  #resourceOf(owner: DeepReadonly<OwnerReference>): ResourceDefinition | undefined {
    const slash = owner.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash);
    return this.#kinds.get(`${group}/${owner.kind}`);
  }

  #cachedOwner(owner: DeepReadonly<OwnerReference>, namespace: string): { item: Item; object: Object } | undefined {
    const resource = this.#resourceOf(owner);
    if (resource === undefined) return undefined;
    const object = this.#find(resource, ownerKey(resource, owner, namespace));
    return object?.metadata.uid === owner.uid ? { item: itemOf(resource, object), object } : undefined;
  }

  #cachedState(owner: DeepReadonly<OwnerReference>, object: Object): OwnerState {
    return ownerState(this.#cachedOwner(owner, object.metadata.namespace ?? '')?.object, owner.uid);
  }

  #find(resource: ResourceDefinition, key: ObjectKey): Object | undefined {
    return this.#listers.get(resource)?.find(key);
  }

  /** Decides about one object: whether its owners keep it alive, or its dependents block its deletion. */
  async #collect(item: Item): Promise<ReconcileResult> {
    const cached = this.#find(item.resource, item.key);
    if (cached?.metadata.uid === item.uid) {
      const owners: Owners = cached.metadata.ownerReferences ?? [];
      const isBeingDeleted = cached.metadata.deletionTimestamp !== undefined;
      if (isBeingDeleted && !isDeletedInForeground(cached.metadata)) return done;
      if (!isBeingDeleted && owners.every((owner) => this.#cachedState(owner, cached) === 'solid')) return done;
    }
    const fresh = await ignoreNotFound(this.#setup.client(item.resource).get(item.key));
    if (fresh === undefined || fresh.metadata.uid !== item.uid) return done;
    if (isDeletedInForeground(fresh.metadata)) return await this.#awaitDependents(item);
    const references = fresh.metadata.ownerReferences ?? [];
    if (references.length === 0 || fresh.metadata.deletionTimestamp !== undefined) return done;

    const owners: { uid: string; state: OwnerState }[] = [];
    for (const owner of references) owners.push({ uid: owner.uid, state: await this.#liveState(owner, fresh) });
    const dependents = this.#dependents.of(item.uid).flatMap(({ resource, key }) => this.#find(resource, key) ?? []);
    const plan = planCollection({
      metadata: fresh.metadata,
      owners,
      hasDependents: dependents.length > 0,
      hasDeletingDependents: dependents.some(({ metadata }) => isDeletedInForeground(metadata)),
    });
    // An owner that the caches have not seen yet may go without their seeing it.
    if (plan.kind === 'keep')
      return references.every((owner) => this.#cachedOwner(owner, item.key.namespace)) ? done : requeueAfterSeconds(unseenOwnerSeconds);
    if (plan.kind === 'drop-owners') {
      await this.#dropOwners(item, plan.uids);
      return done;
    }
    if (plan.unblock) await this.#unblockOwners(item, fresh);
    const preconditions = { uid: item.uid };
    try {
      await ignoreNotFound(this.#setup.client(item.resource).delete(item.key, { propagationPolicy: plan.policy, preconditions }));
    } catch (error) {
      // Another object of that name by now.
      if (!hasReason(error, 'Conflict')) throw error;
    }
    return done;
  }

  async #liveState(owner: DeepReadonly<OwnerReference>, object: Object): Promise<OwnerState> {
    const cached = this.#cachedState(owner, object);
    if (cached !== 'absent') return cached;
    if (this.#absent.has(owner.uid)) return 'absent';
    const resource = this.#resourceOf(owner);
    const kind = formatGroupKind({ group: owner.apiVersion.split('/').at(-2) ?? '', kind: owner.kind });
    if (resource === undefined) throw new Error(`nothing is known of the owner's kind ${kind}`);
    const namespace = object.metadata.namespace ?? '';
    if (resource.scope === 'Namespaced' && namespace === '') {
      throw terminal(new Error(`a cluster-scoped object names an owner of the namespaced kind ${kind}`));
    }
    const fresh = await findLive(this.#setup.client(resource), ownerKey(resource, owner, namespace));
    const state = ownerState(fresh, owner.uid);
    if (state === 'absent') this.#rememberAbsent(owner.uid);
    return state;
  }

  #rememberAbsent(uid: string): void {
    this.#absent.add(uid);
    if (this.#absent.size > rememberedAbsent) for (const oldest of this.#absent) return void this.#absent.delete(oldest);
  }

  /** Handles an object that is deleted after its dependents: it is deleted when no blocking dependent is left. */
  async #awaitDependents(item: Item): Promise<ReconcileResult> {
    const blocking = this.#dependents.of(item.uid).filter(({ resource, key }) => {
      const dependent = this.#find(resource, key);
      return dependent?.metadata.ownerReferences?.some((owner) => owner.uid === item.uid && owner.blockOwnerDeletion);
    });
    if (blocking.length === 0) {
      await this.#removeFinalizer(item, foregroundFinalizer);
      return done;
    }
    for (const dependent of blocking) this.#enqueue('delete', dependent);
    return done;
  }

  /** Removes the owner from its dependents and then lets the owner be deleted. */
  async #orphan(item: Item): Promise<ReconcileResult> {
    const fresh = await ignoreNotFound(this.#setup.client(item.resource).get(item.key));
    if (fresh === undefined || fresh.metadata.uid !== item.uid || !isOrphaningDependents(fresh.metadata)) return done;
    const dependents = this.#dependents.of(item.uid);
    const results = await Promise.allSettled(dependents.map((dependent) => this.#dropOwners(dependent, [item.uid])));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    // A dependent that was created a moment ago may not have been in the index yet.
    if (this.#dependents.of(item.uid).length > dependents.length) return requeueAfterSeconds(1);
    await this.#removeFinalizer(item, orphanFinalizer);
    return done;
  }

  async #dropOwners(item: Item, uids: readonly string[]): Promise<void> {
    await this.#rewriteOwners(item, (owners) => owners.filter(({ uid }) => !uids.includes(uid)));
  }

  /** Breaks a circle of owners that wait for each other. */
  async #unblockOwners(item: Item, { metadata }: Object): Promise<void> {
    if (!metadata.ownerReferences?.some(({ blockOwnerDeletion }) => blockOwnerDeletion)) return;
    await this.#rewriteOwners(item, (owners) => owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })));
  }

  /** By merge patch, which every kind understands; the resourceVersion guards the list it replaces. */
  async #rewriteOwners(item: Item, change: (owners: OwnerReference[]) => OwnerReference[]): Promise<void> {
    await this.#rewrite(item, ({ ownerReferences = [] }) => {
      const changed = change(ownerReferences);
      return isEqual(changed, ownerReferences) ? undefined : { ownerReferences: changed };
    });
  }

  async #removeFinalizer(item: Item, finalizer: string): Promise<void> {
    await this.#rewrite(item, ({ finalizers = [] }) =>
      finalizers.includes(finalizer) ? { finalizers: finalizers.filter((present) => present !== finalizer) } : undefined,
    );
  }

  async #rewrite(item: Item, change: (metadata: KubeObject['metadata']) => Partial<KubeObject['metadata']> | undefined): Promise<void> {
    const { client, clock, logger } = this.#setup;
    const objects = client(item.resource);
    await retryOnConflict(clock, async () => {
      const fresh = await ignoreNotFound(objects.get(item.key));
      if (fresh === undefined || fresh.metadata.uid !== item.uid) return;
      const changed = change(fresh.metadata);
      if (changed === undefined) return;
      const { uid, resourceVersion } = fresh.metadata;
      const body = { metadata: { ...changed, uid, resourceVersion } };
      logger.debug('changes the owners or finalizers of an object', {
        object: formatKey(item.key),
        resource: groupResource(item.resource),
      });
      await ignoreNotFound(objects.patch(item.key, { type: 'merge', body }));
    });
  }
}

function ownerKey(resource: ResourceDefinition, owner: DeepReadonly<OwnerReference>, namespace: string): ObjectKey {
  return { namespace: resource.scope === 'Namespaced' ? namespace : '', name: owner.name };
}

/**
 * The live object from the API. The NotFound must be about the object itself: a server that does not serve the kind (any more, or yet) also
 * answers NotFound, and nothing may be deleted because of that.
 */
async function findLive<T extends KubeObject>(objects: ResourceClient<T>, key: ObjectKey): Promise<T | undefined> {
  try {
    return await objects.get(key);
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'NotFound' && error.status.details?.name === key.name) return undefined;
    throw error;
  }
}
