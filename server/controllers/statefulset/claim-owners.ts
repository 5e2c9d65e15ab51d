import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { StatefulSet } from '../../../api/types/apps-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { OwnerReference } from '../../../api/types/meta-v1.ts';

type Reference = DeepReadonly<OwnerReference>;

interface ClaimOwnersPlan {
  readonly references: OwnerReference[];
  /** Another controller owns the claim, so the set's policy does not apply to it. */
  readonly hasConflict: boolean;
}

/** Whether a reference names an object of that kind. */
export function isOfKind({ apiVersion, kind }: Reference, wantedVersion: string, wantedKind: string): boolean {
  return apiVersion === wantedVersion && kind === wantedKind;
}

/**
 * The owners that the claim of a Pod must get by the set's persistentVolumeClaimRetentionPolicy (KEP-1847), or undefined
 * where they are right. The set owns claims that are deleted with it, a Pod that is scaled away owns claims that are
 * deleted with it, and nobody owns a claim that is retained. References to an earlier set or Pod of the same name, and
 * claims of other controllers, are left alone.
 */
export function planClaimOwners(
  set: DeepReadonly<StatefulSet>,
  pod: DeepReadonly<Pod>,
  isCondemned: boolean,
  present: readonly Reference[],
): ClaimOwnersPlan | undefined {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const ownerOf = (reference: Reference) => {
    if (isOfKind(reference, 'apps/v1', 'StatefulSet') && reference.name === set.metadata.name) return set;
    return isOfKind(reference, 'v1', 'Pod') && reference.name === pod.metadata.name ? pod : undefined;
  };
  const own = present.filter((reference) => ownerOf(reference) !== undefined);
  if (own.some((reference) => reference.uid !== ownerOf(reference)?.metadata.uid)) return undefined;

  const others = present.filter((reference) => ownerOf(reference) === undefined);
  const retainsAlways = whenDeleted === 'Retain' && whenScaled === 'Retain';
  if (!retainsAlways && others.some(({ controller }) => controller === true))
    return own.length === 0 ? undefined : { references: others.map((reference) => ({ ...reference })), hasConflict: true };

  const wanted = wantedOwner(set, pod, { whenDeleted, whenScaled, isCondemned });
  const isRight = own.length === (wanted === undefined ? 0 : 1) && own.every(({ uid, controller }) => uid === wanted?.uid && controller);
  if (isRight) return undefined;
  return { references: [...others.map((reference) => ({ ...reference })), ...(wanted ? [wanted] : [])], hasConflict: false };
}

interface Retention {
  readonly whenDeleted: string;
  readonly whenScaled: string;
  readonly isCondemned: boolean;
}

function wantedOwner(set: DeepReadonly<StatefulSet>, pod: DeepReadonly<Pod>, retention: Retention): OwnerReference | undefined {
  const { whenDeleted, whenScaled, isCondemned } = retention;
  if (whenScaled === 'Delete' && isCondemned) return controllerReference('v1', 'Pod', pod);
  return whenDeleted === 'Delete' ? controllerReference('apps/v1', 'StatefulSet', set) : undefined;
}

function controllerReference(apiVersion: string, kind: string, { metadata }: DeepReadonly<StatefulSet | Pod>): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}
