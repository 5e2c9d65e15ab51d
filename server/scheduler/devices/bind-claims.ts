import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { resourceClaims } from '../../../api/resources/resource/v1/resource-claim.ts';
import { claimFinalizer, isReservedFor } from '../../../api/semantics/devices/resource-claims.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { AllocationResult, ResourceClaim } from '../../../api/types/resource-v1.ts';
import type { WatchedDevices } from '../cache/watch-devices.ts';
import type { DeviceReservation } from '../framework/framework.ts';

interface BindClaimsDependencies {
  readonly client: Client;
  readonly devices: Pick<WatchedDevices, 'written'>;
}

const maxAttempts = 5;

/** Writes the devices that were chosen into the claims, and reserves them for the pod. Throws if that is not to be. */
export async function bindClaims(
  dependencies: BindClaimsDependencies,
  pod: DeepReadonly<Pod>,
  { claims }: DeviceReservation,
): Promise<void> {
  for (const { claim, allocation } of claims) {
    const written = await bindClaim(dependencies.client, pod, claim, allocation).catch(async (error: unknown) => {
      // An answer that was lost does not mean that nothing was written.
      if (allocation !== undefined) await noteOutcome(dependencies, claim);
      throw error;
    });
    dependencies.devices.written(written);
  }
}

async function bindClaim(
  client: Client,
  pod: DeepReadonly<Pod>,
  known: DeepReadonly<ResourceClaim>,
  allocation: AllocationResult | undefined,
): Promise<DeepReadonly<ResourceClaim>> {
  const shown = `${known.metadata.namespace}/${known.metadata.name}`;
  let claim = known;
  for (let attempt = 1; ; attempt++) {
    try {
      if (claim.metadata.deletionTimestamp !== undefined || claim.metadata.uid !== known.metadata.uid)
        throw new Error(`claim ${shown} got deleted in the meantime`);
      if (allocation === undefined && claim.status?.allocation === undefined)
        throw new Error(`claim ${shown} got deallocated in the meantime`);
      if (allocation !== undefined && claim.status?.allocation !== undefined)
        throw new Error(`claim ${shown} got allocated elsewhere in the meantime`);
      return await writeClaim(client, pod, claim, allocation);
    } catch (error) {
      if (hasReason(error, 'NotFound')) throw new Error(`claim ${shown} got deleted in the meantime`, { cause: error });
      if (!hasReason(error, 'Conflict') || attempt === maxAttempts) throw error;
      claim = await client(resourceClaims).get(keyOf(known));
    }
  }
}

async function writeClaim(
  client: Client,
  pod: DeepReadonly<Pod>,
  claim: DeepReadonly<ResourceClaim>,
  allocation: AllocationResult | undefined,
): Promise<DeepReadonly<ResourceClaim>> {
  if (isReservedFor(claim, pod)) return claim;
  let current = mutableCopy<ResourceClaim>(claim);
  const finalizers = current.metadata.finalizers ?? [];
  // A claim with devices must not vanish before they are given back.
  if (allocation !== undefined && !finalizers.includes(claimFinalizer)) {
    current.metadata.finalizers = [...finalizers, claimFinalizer];
    current = mutableCopy<ResourceClaim>(await client(resourceClaims).update(current));
  }
  const { name = '', uid = '' } = pod.metadata;
  current.status = {
    ...current.status,
    ...(allocation === undefined ? {} : { allocation }),
    reservedFor: [...(current.status?.reservedFor ?? []), { resource: 'pods', name, uid }],
  };
  return await client(resourceClaims).updateStatus(current);
}

async function noteOutcome({ client, devices }: BindClaimsDependencies, { metadata }: DeepReadonly<ResourceClaim>): Promise<void> {
  const found = await client(resourceClaims)
    .get(keyOf({ metadata }))
    .catch(() => undefined);
  if (found?.metadata.uid === metadata.uid && found?.status?.allocation !== undefined) devices.written(found);
}

/** Releases the claims of a pod that is not bound after all. Other pods may use them; they keep their devices until no pod uses them. */
export async function releaseClaims(
  { client, devices }: BindClaimsDependencies,
  pod: DeepReadonly<Pod>,
  { claims }: DeviceReservation,
): Promise<void> {
  const { uid } = pod.metadata;
  for (const { claim } of claims) {
    const body = { metadata: { uid: claim.metadata.uid }, status: { reservedFor: [{ $patch: 'delete', uid }] } };
    const left = await ignoreNotFound(client(resourceClaims).patch(keyOf(claim), { type: 'strategic', body }, { subresource: 'status' }));
    if (left !== undefined) devices.written(left);
  }
}

/** Removes the allocation of an unused claim, so that its devices are free for others, or for the claim on another node. */
export async function deallocate(client: Client, claim: DeepReadonly<ResourceClaim>): Promise<void> {
  const changed = mutableCopy<ResourceClaim>(claim);
  const { allocation: _allocation, reservedFor: _reservedFor, ...rest } = changed.status ?? {};
  changed.status = rest;
  await client(resourceClaims).updateStatus(changed);
}
