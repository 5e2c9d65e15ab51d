import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import { controllerReference, findController } from '../../../api/meta/owner-references.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selectors.ts';
import type { LabelSelector } from '../../../api/types/meta-v1.ts';

/** An owner's decision on an object: keep or adopt it, release it, or ignore it. */
type Claim = 'keep' | 'adopt' | 'release' | 'ignore';

export function planClaim(owner: DeepReadonly<KubeObject>, isSelected: boolean, object: DeepReadonly<KubeObject>): Claim {
  const controller = findController(object);
  const ownerIsLeaving = owner.metadata.deletionTimestamp !== undefined;
  if (controller !== undefined) {
    if (controller.uid !== owner.metadata.uid) return 'ignore';
    if (isSelected) return 'keep';
    return ownerIsLeaving ? 'ignore' : 'release';
  }
  if (ownerIsLeaving || !isSelected || object.metadata.deletionTimestamp !== undefined) return 'ignore';
  return 'adopt';
}

interface ClaimSettings<O extends KubeObject, T extends KubeObject> {
  readonly client: Client;
  readonly owner: DeepReadonly<O>;
  readonly ownerResource: ResourceDefinition<O>;
  /** Absent: matches nothing. */
  readonly selector: DeepReadonly<LabelSelector> | undefined;
  readonly resource: ResourceDefinition<T>;
  readonly objects: readonly DeepReadonly<T>[];
  /** A finalizer that is added to an adopted object, beside the owner reference. */
  readonly finalizer?: string;
}

/**
 * The objects that belong to the owner, after orphans that its selector matches have been adopted and its own that the
 * selector no longer matches have been released. Adopting asks the API first whether the owner still lives.
 */
export async function claimDependents<O extends KubeObject, T extends KubeObject>(
  settings: ClaimSettings<O, T>,
): Promise<DeepReadonly<T>[]> {
  const { owner, selector, objects } = settings;
  const claimed: DeepReadonly<T>[] = [];
  let mayAdopt: Promise<void> | undefined;
  let failure: unknown;
  for (const object of objects) {
    const claim = planClaim(owner, matchesLabelSelector(selector, object.metadata.labels), object);
    try {
      if (claim === 'release') await release(settings, object);
      if (claim === 'adopt') await (mayAdopt ??= assertAlive(settings));
      if (claim === 'keep' || (claim === 'adopt' && (await adopt(settings, object)))) claimed.push(object);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return claimed;
}

/** The cached owner may have been deleted, or deleted and made again, since. */
async function assertAlive<O extends KubeObject, T extends KubeObject>(settings: ClaimSettings<O, T>): Promise<void> {
  const { client, owner, ownerResource } = settings;
  const fresh = await client(ownerResource).get(keyOf(owner));
  const { namespace = '', name = '', uid } = owner.metadata;
  if (fresh.metadata.uid !== uid) {
    throw new Error(`original ${ownerResource.names.kind} ${namespace}/${name} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`);
  }
  if (fresh.metadata.deletionTimestamp !== undefined) {
    throw new Error(`${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
  }
}

async function adopt<O extends KubeObject, T extends KubeObject>(
  { client, owner, ownerResource, resource, finalizer }: ClaimSettings<O, T>,
  object: DeepReadonly<T>,
): Promise<boolean> {
  const kind = { apiVersion: apiVersionOf(ownerResource), kind: ownerResource.names.kind };
  const metadata = {
    ownerReferences: [controllerReference(owner, kind)],
    uid: object.metadata.uid,
    ...(finalizer === undefined ? {} : { finalizers: [finalizer] }),
  };
  const patched = await ignoreNotFound(client(resource).patch(keyOf(object), { type: 'strategic', body: { metadata } }));
  return patched !== undefined;
}

async function release<O extends KubeObject, T extends KubeObject>(
  { client, owner, resource, finalizer }: ClaimSettings<O, T>,
  object: DeepReadonly<T>,
): Promise<void> {
  const metadata = {
    ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
    uid: object.metadata.uid,
    ...(finalizer === undefined ? {} : { '$deleteFromPrimitiveList/finalizers': [finalizer] }),
  };
  try {
    await ignoreNotFound(client(resource).patch(keyOf(object), { type: 'strategic', body: { metadata } }));
  } catch (error) {
    // Invalid: another object of that name, or the reference is gone already.
    if (!hasReason(error, 'Invalid')) throw error;
  }
}
