import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { isVolumeForClaim } from '../../../api/semantics/storage/match-volume.ts';
import { claimedVolumes } from '../../../api/semantics/pods/pod-claims.ts';
import { selectedNodeAnnotation } from '../../../api/semantics/storage/volume-annotations.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types/core-v1.ts';
import type { WatchedStorage } from '../cache/watch-storage.ts';
import type { VolumeReservation } from '../framework/framework.ts';
import { isBound } from './pod-volumes.ts';

interface BindVolumesDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly storage: WatchedStorage;
  /** Whether the pod is still there and waits for a node. */
  readonly isPending: (pod: DeepReadonly<Pod>) => boolean;
}

/** Upstream's limit; then the pod looks for another node. */
const bindTimeoutMs = 600_000;
/** A pod that is gone is noticed after this time at the latest. */
const lookAgainMs = 1000;

/** Writes the decisions on the pod's volumes and waits until all its claims are bound. Throws if that becomes impossible. */
export async function bindVolumes(
  { client, clock, storage, isPending }: BindVolumesDependencies,
  pod: DeepReadonly<Pod>,
  nodeName: string,
  reservation: VolumeReservation,
  signal: AbortSignal,
): Promise<void> {
  for (const { after } of reservation.volumes) await client(persistentVolumes).update(after);
  for (const { after } of reservation.claims) await client(persistentVolumeClaims).update(after);
  const asked = new Map(reservation.claims.map(({ before }) => [before.metadata.name, before]));
  const deadlineMs = clock.monotonicMs() + bindTimeoutMs;
  const isDone = () => {
    if (!isPending(pod)) throw new Error('pod does not exist any more');
    if (clock.monotonicMs() >= deadlineMs) throw new Error('context deadline exceeded');
    return claimedVolumes(pod).every(({ claimName }) => {
      const claim = storage.known.findClaim(pod.metadata.namespace ?? '', claimName);
      return claim !== undefined && isClaimReady(claim, asked.get(claimName), nodeName, storage);
    });
  };
  await until(isDone, { clock, storage, signal });
}

function isClaimReady(
  claim: DeepReadonly<PersistentVolumeClaim>,
  asked: DeepReadonly<PersistentVolumeClaim> | undefined,
  nodeName: string,
  { known }: WatchedStorage,
): boolean {
  if (isBound(claim)) {
    const volume = known.findVolume(claim.spec?.volumeName ?? '');
    return volume !== undefined && isVolumeForClaim(volume, claim);
  }
  // Not yet the state that was written.
  if (asked === undefined || claim === asked) return false;
  const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
  // The provisioner of the volume cannot make it for this node.
  if (selected !== nodeName) throw new Error(`provisioning failed for PVC "${claim.metadata.name}"`);
  return false;
}

function until(
  isDone: () => boolean,
  { clock, storage, signal }: { readonly clock: Clock; readonly storage: WatchedStorage; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer = clock.setTimer(0, () => look(), { background: true });
    const finish = (end: () => void) => {
      timer.cancel();
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
      end();
    };
    const onAbort = () => finish(() => reject(signal.reason));
    const look = () => {
      timer.cancel();
      try {
        if (isDone()) return finish(resolve);
      } catch (error) {
        return finish(() => reject(error));
      }
      timer = clock.setTimer(lookAgainMs, look, { background: true });
    };
    // A new handler is called at once for everything in the cache; this is skipped, since the timer checks first.
    let isTold = false;
    const unsubscribe = storage.onChange(() => isTold && look());
    isTold = true;
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
