import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { keyOf, type KubeObject, type ObjectKey } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { OwnerReference } from '../../../api/types/meta-v1.ts';

/** An object of any kind. */
export interface Item {
  readonly resource: ResourceDefinition;
  readonly key: ObjectKey;
  readonly uid: string;
}

export function itemOf(resource: ResourceDefinition, object: DeepReadonly<KubeObject>): Item {
  return { resource, key: keyOf(object), uid: object.metadata.uid ?? '' };
}

/** The dependents of each owner, by the owner's uid. Holds only objects that have owners. */
export class DependentsIndex {
  readonly #byOwner = new Map<string, Map<string, Item>>();

  set(item: Item, owners: readonly DeepReadonly<OwnerReference>[], oldOwners: readonly DeepReadonly<OwnerReference>[]): void {
    for (const { uid } of oldOwners) if (!owners.some((owner) => owner.uid === uid)) this.#withdraw(uid, item.uid);
    for (const { uid } of owners) {
      const dependents = this.#byOwner.get(uid) ?? new Map<string, Item>();
      dependents.set(item.uid, item);
      this.#byOwner.set(uid, dependents);
    }
  }

  remove(uid: string, owners: readonly DeepReadonly<OwnerReference>[]): void {
    for (const owner of owners) this.#withdraw(owner.uid, uid);
  }

  of(ownerUid: string): Item[] {
    return [...(this.#byOwner.get(ownerUid)?.values() ?? [])];
  }

  #withdraw(ownerUid: string, uid: string): void {
    const dependents = this.#byOwner.get(ownerUid);
    dependents?.delete(uid);
    if (dependents?.size === 0) this.#byOwner.delete(ownerUid);
  }
}
