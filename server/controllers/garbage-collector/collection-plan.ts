import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { ObjectMeta } from '../../../api/types/meta-v1.ts';

export const foregroundFinalizer = 'foregroundDeletion';
export const orphanFinalizer = 'orphan';

type Metadata = DeepReadonly<ObjectMeta>;

/** The state of an owner that an object refers to. */
export type OwnerState =
  /** The owner exists and stays. */
  | 'solid'
  /** The owner does not exist any more. */
  | 'absent'
  /** The owner is being deleted, after its dependents. */
  | 'waiting';

export function ownerState(owner: DeepReadonly<KubeObject> | undefined, uid: string): OwnerState {
  if (owner === undefined || owner.metadata.uid !== uid) return 'absent';
  return isDeletedInForeground(owner.metadata) ? 'waiting' : 'solid';
}

export function isDeletedInForeground({ deletionTimestamp, finalizers = [] }: Metadata): boolean {
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
}

export function isOrphaningDependents({ deletionTimestamp, finalizers = [] }: Metadata): boolean {
  return deletionTimestamp !== undefined && finalizers.includes(orphanFinalizer);
}

type Collection =
  | { readonly kind: 'keep' }
  /** Some owners stay: only the references to the others go. */
  | { readonly kind: 'drop-owners'; readonly uids: readonly string[] }
  | {
      readonly kind: 'delete';
      readonly policy: 'Orphan' | 'Foreground' | 'Background';
      /** Dependents must no longer hold the object back, since they wait for it in turn. */
      readonly unblock: boolean;
    };

export interface CollectionInput {
  readonly metadata: Metadata;
  readonly owners: readonly { readonly uid: string; readonly state: OwnerState }[];
  readonly hasDependents: boolean;
  /** Whether some dependent is itself being deleted in the foreground: a circle of owners. */
  readonly hasDeletingDependents: boolean;
}

/** The consequence of its owners' state for an object. */
export function planCollection({ metadata, owners, hasDependents, hasDeletingDependents }: CollectionInput): Collection {
  const lost = owners.filter(({ state }) => state !== 'solid');
  if (lost.length === 0) return { kind: 'keep' };
  if (lost.length < owners.length) return { kind: 'drop-owners', uids: lost.map(({ uid }) => uid) };
  if (hasDependents && lost.some(({ state }) => state === 'waiting')) {
    return { kind: 'delete', policy: 'Foreground', unblock: hasDeletingDependents };
  }
  const { finalizers = [] } = metadata;
  const policy = finalizers.includes(orphanFinalizer) ? 'Orphan' : finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background';
  return { kind: 'delete', policy, unblock: false };
}
