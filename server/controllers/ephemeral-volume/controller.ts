import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { controllerReference } from '../../../api/meta/owner-references.ts';
import { persistentVolumeClaims } from '../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { claimedVolumes, isClaimOfPod } from '../../../api/semantics/pods/pod-claims.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimTemplate, Pod, Volume } from '../../../api/types/core-v1.ts';
import { type ControllerDependencies, defineController, done, owning } from '../runtime/define-controller.ts';
import { messageOf } from '../runtime/pod-control.ts';
import { rules } from './rbac.ts';

/** Makes the claims of generic ephemeral volumes. They go with their Pods, which own them. */
export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume-controller',
  account: 'ephemeral-volume-controller',
  component: 'ephemeral_volume',
  for: pods,
  concerns: () => false,
  watches: [owning(persistentVolumeClaims, pods)],
  rules,
  async reconcile(key, dependencies) {
    const pod = dependencies.lister(pods).find(key);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return done;
    for (const { volume, claimName, isEphemeral } of claimedVolumes(pod)) {
      if (!isEphemeral) continue;
      try {
        await ensureClaim(dependencies, pod, volume, claimName);
      } catch (error) {
        const message = `ephemeral volume ${volume.name}: ${messageOf(error)}`;
        dependencies.events.event(referenceTo(pods, pod), 'Warning', 'FailedBinding', message);
        throw new Error(`pod ${key.namespace}/${key.name}, ${message}`, { cause: error });
      }
    }
    return done;
  },
});

async function ensureClaim(
  { lister, client }: ControllerDependencies,
  pod: DeepReadonly<Pod>,
  volume: DeepReadonly<Volume>,
  name: string,
): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  const present = lister(persistentVolumeClaims).find({ namespace, name });
  if (present !== undefined) {
    if (isClaimOfPod(present, pod)) return;
    throw new Error(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`);
  }
  try {
    await client(persistentVolumeClaims).create(claimFor(pod, volume, name));
  } catch (error) {
    throw new Error(`create PVC ${name}: ${messageOf(error)}`, { cause: error });
  }
}

function claimFor(pod: DeepReadonly<Pod>, { ephemeral }: DeepReadonly<Volume>, name: string): PersistentVolumeClaim {
  const template = mutableCopy<PersistentVolumeClaimTemplate>(ephemeral?.volumeClaimTemplate ?? { spec: {} });
  const { annotations, labels } = template.metadata ?? {};
  return {
    metadata: {
      name,
      namespace: pod.metadata.namespace ?? '',
      ownerReferences: [controllerReference(pod, { apiVersion: 'v1', kind: 'Pod' })],
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: template.spec,
  };
}
