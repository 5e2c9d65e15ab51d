/** metav1.OwnerReference */
export interface OwnerReferenceLike {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

interface Owned {
  readonly metadata: { readonly ownerReferences?: readonly OwnerReferenceLike[] };
}

/** The owner that manages the object, if it has one; there is at most one. */
export function findController(object: Owned): OwnerReferenceLike | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function isControlledBy(object: Owned, owner: { readonly metadata: { readonly uid?: string } }): boolean {
  const controller = findController(object);
  return controller !== undefined && controller.uid === owner.metadata.uid;
}

/** The owner reference that a controller puts on the objects it creates or adopts. */
export function controllerReference(
  owner: { readonly metadata: { readonly name?: string; readonly uid?: string } },
  kind: { readonly apiVersion: string; readonly kind: string },
) {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: kind.apiVersion, kind: kind.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The references without those that are there already, and the uid of each that was left out. */
export function uniqueOwners<T extends OwnerReferenceLike>(
  references: readonly T[],
): { readonly unique: readonly T[]; readonly duplicateUIDs: readonly string[] } {
  const seen = new Set<string>();
  const unique: T[] = [];
  const duplicateUIDs: string[] = [];
  for (const reference of references) {
    const key = JSON.stringify(fields.map((field) => reference[field]));
    if (seen.has(key)) duplicateUIDs.push(reference.uid);
    else unique.push(reference);
    seen.add(key);
  }
  return { unique, duplicateUIDs };
}

const fields = ['apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion'] as const;
