import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { storageClassOf } from '../../../api/semantics/storage/persistent-volumes.ts';
import { claimedVolumes } from '../../../api/semantics/pods/pod-claims.ts';
import { waitsForConsumer } from '../../../api/semantics/storage/storage-classes.ts';
import type { PersistentVolume } from '../../../api/types/core-v1.ts';
import { defineSchedulerPlugin, skip, unresolvable } from '../framework/framework.ts';

const name = 'VolumeZone';

/** Deprecated labels and their present names. */
const formerLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};
const topologyLabels = Object.entries(formerLabels).flat();

interface Place {
  readonly label: string;
  readonly values: readonly string[];
}

/** Keeps pods in the zones and regions that their volumes are labelled with. Nodes without such labels are in all of them. */
export const volumeZone = defineSchedulerPlugin({
  name,
  retryOn: ['StorageClassChange', 'NodeAdd', 'NodeUpdate', 'PersistentVolumeClaimChange', 'PersistentVolumeChange'],
  preFilter(state, pod, cluster) {
    const places: Place[] = [];
    for (const { claimName, isEphemeral } of claimedVolumes(pod)) {
      if (isEphemeral) continue;
      const claim = cluster.findClaim(pod.metadata.namespace ?? '', claimName);
      if (claim === undefined) return { status: unresolvable(`persistentvolumeclaim "${claimName}" not found`) };
      const volumeName = claim.spec?.volumeName ?? '';
      if (volumeName === '') {
        const className = storageClassOf(claim);
        if (className === '') return { status: unresolvable('PersistentVolumeClaim had no pv name and storageClass name') };
        const storageClass = cluster.findStorageClass(className);
        if (storageClass === undefined) return { status: unresolvable(`storageclass.storage.k8s.io "${className}" not found`) };
        if (waitsForConsumer(storageClass)) continue;
        return { status: unresolvable('PersistentVolume had no name') };
      }
      const volume = cluster.findVolume(volumeName);
      if (volume === undefined) return { status: unresolvable(`persistentvolume "${volumeName}" not found`) };
      places.push(...placesOf(volume));
    }
    if (places.length === 0) return { status: skip };
    state.set(name, places);
    return undefined;
  },
  filter(state, _pod, { node }) {
    const labels = node.metadata.labels ?? {};
    if (!topologyLabels.some((label) => Object.hasOwn(labels, label))) return undefined;
    const isWithin = ({ label, values }: Place) => values.includes(labels[label] ?? labels[formerLabels[label] ?? ''] ?? '');
    return (state.get(name) as readonly Place[]).every(isWithin) ? undefined : unresolvable('node(s) had no available volume zone');
  },
});

/** Several zones are written with two underscores between them. */
function placesOf({ metadata: { labels = {} } }: DeepReadonly<PersistentVolume>): Place[] {
  return topologyLabels.flatMap((label) => {
    const value = labels[label];
    return value === undefined ? [] : [{ label, values: value.split('__') }];
  });
}
