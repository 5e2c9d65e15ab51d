import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../api/resources/core/v1/persistent-volume.ts';
import { isVolumeReachable } from '../../../api/semantics/storage/match-volume.ts';
import { type ClaimedVolume, isClaimOfPod } from '../../../api/semantics/pods/pod-claims.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { CSIVolumes } from './csi-volumes.ts';
import { prepareHostPath } from './host-path.ts';
import type { LocalVolumes } from './local-volumes.ts';
import type { BoundVolume } from './bound-volume.ts';

interface ClaimedVolumesDependencies {
  readonly client: Client;
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly node: () => DeepReadonly<Node> | undefined;
  readonly csi: CSIVolumes;
  readonly local: LocalVolumes;
}

/** Volumes of Pods that are kept by claims. */
export interface ClaimedVolumes {
  /** Answers where the volume lies: a folder, or the device of a block volume. May be repeated. Throws with upstream's words. */
  setUp(pod: DeepReadonly<Pod>, claimed: ClaimedVolume): Promise<string>;
  forgetPod(uid: string): void;
}

/** How often volumes are looked after that may have grown, or whose driver may want to be asked again. */
const attentionMs = 55_000;

function canChange({ volume }: BoundVolume): boolean {
  return volume.spec?.csi !== undefined || volume.spec?.local !== undefined;
}

export function createClaimedVolumes(dependencies: ClaimedVolumesDependencies): ClaimedVolumes {
  /** Volumes that are set up already, by Pod and volume: for some time the API is not asked again for them. */
  const ready = new Map<string, Map<string, { readonly path: string; readonly untilMs: number }>>();
  return {
    async setUp(pod, claimed) {
      const { uid = '' } = pod.metadata;
      const { name } = claimed.volume;
      const known = ready.get(uid)?.get(name);
      const nowMs = dependencies.clock.monotonicMs();
      if (known !== undefined && nowMs < known.untilMs) return known.path;
      const bound = await findBoundVolume(dependencies.client, pod, claimed);
      const path = await setUpBound(dependencies, pod, claimed, bound);
      const ofPod = ready.get(uid) ?? new Map<string, { readonly path: string; readonly untilMs: number }>();
      ready.set(uid, ofPod.set(name, { path, untilMs: canChange(bound) ? nowMs + attentionMs : Number.POSITIVE_INFINITY }));
      return path;
    },
    forgetPod: (uid) => void ready.delete(uid),
  };
}

async function findBoundVolume(client: Client, pod: DeepReadonly<Pod>, { claimName, isEphemeral }: ClaimedVolume): Promise<BoundVolume> {
  const namespace = pod.metadata.namespace ?? '';
  const failed = (problem: string) => new Error(`error processing PVC ${namespace}/${claimName}: ${problem}`);
  const explain = (what: string) => (error: unknown) => {
    throw failed(`failed to fetch ${what} from API server: ${error instanceof Error ? error.message : String(error)}`);
  };
  const claim = await client(persistentVolumeClaims).get({ namespace, name: claimName }).catch(explain('PVC'));
  if (isEphemeral && !isClaimOfPod(claim, pod)) {
    const ofPod = `${namespace}/${pod.metadata.name}`;
    throw failed(`PVC ${namespace}/${claimName} was not created for pod ${ofPod} (pod is not owner)`);
  }
  // A Pod that runs keeps its claim until it has ended.
  if (claim.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Running') throw failed('PVC is being deleted');
  const name = claim.spec?.volumeName ?? '';
  if (claim.status?.phase !== 'Bound' || name === '') throw failed('PVC is not bound');
  const volume = await client(persistentVolumes)
    .get({ namespace: '', name })
    .catch(explain(`PV ${name}`));
  const { uid } = volume.spec?.claimRef ?? {};
  if (uid !== claim.metadata.uid) throw failed(`found PV object "${name}" with unexpected claimRef`);
  return { claim, volume };
}

async function setUpBound(
  dependencies: ClaimedVolumesDependencies,
  pod: DeepReadonly<Pod>,
  claimed: ClaimedVolume,
  bound: BoundVolume,
): Promise<string> {
  const { files, node, csi } = dependencies;
  const { volume } = bound;
  const { hostPath, local, csi: ofDriver, volumeMode = 'Filesystem' } = volume.spec ?? {};
  const own = node();
  if (own !== undefined && !isVolumeReachable(volume, own)) {
    throw new Error(`NodeAffinity check failed: no matching NodeSelectorTerms for volume "${volume.metadata.name}" on this node`);
  }
  if (ofDriver !== undefined) return csi.setUpPersistent(pod, claimed, bound);
  if (local !== undefined) return dependencies.local.setUp(pod, bound);
  if (hostPath === undefined) {
    const source = Object.keys(volume.spec ?? {}).find((key) => sources.has(key)) ?? 'unknown';
    throw new Error(`persistent volumes of type ${source} are not supported by this node`);
  }
  await prepareHostPath(files, hostPath.path, hostPath.type ?? '');
  if (volumeMode === 'Block' && (await files.facts(hostPath.path))?.kind !== 'blockDevice') {
    throw new Error(`${hostPath.path} is not a block device`);
  }
  return hostPath.path;
}

const sources = new Set(['nfs', 'iscsi', 'fc', 'rbd', 'cephfs', 'glusterfs', 'flexVolume', 'portworxVolume', 'storageos']);
