import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import { podLimits } from '../../../api/semantics/pods/pod-resources.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { PodStorageUsage } from '../stats/pod-storage.ts';
import { containerStorageMessage, emptyDirMessage, podStorageMessage } from './messages.ts';

const resource = 'ephemeral-storage';

/** Whether the Pod's use of the node's disk is limited at all; only then is it measured. */
export function hasStorageLimits({ spec }: DeepReadonly<Pod>): boolean {
  return (
    (spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined && !emptyDir.medium) ||
    (spec?.containers ?? []).some(({ resources }) => resources?.limits?.[resource] !== undefined)
  );
}

/** The reason why the Pod is evicted for its use of the disk, if it is. `layers`: the bytes of writable layers, by container. */
export function storageExcess(
  pod: DeepReadonly<Pod>,
  { volumes, logs }: PodStorageUsage,
  layers: ReadonlyMap<string, number>,
): string | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    const used = volumes.find((volume) => volume.name === name)?.bytes ?? 0;
    if (limit !== undefined && !emptyDir?.medium && quantityValue(limit) > 0 && used > quantityValue(limit))
      return emptyDirMessage(name, limit);
  }
  let written = 0;
  const ofContainer = (name: string) => (layers.get(name) ?? 0) + (logs.get(name)?.bytes ?? 0);
  for (const { name, resources } of pod.spec?.containers ?? []) {
    const limit = resources?.limits?.[resource];
    if (limit !== undefined && ofContainer(name) > quantityValue(limit)) return containerStorageMessage(name, limit);
    written += ofContainer(name);
  }
  // If one container has no limit, the Pod has none.
  if (!(pod.spec?.containers ?? []).every(({ resources }) => resources?.limits?.[resource] !== undefined)) return undefined;
  const limit = podLimits(pod).get(resource);
  const local = volumes.filter(({ isLocal }) => isLocal).reduce((sum, { bytes }) => sum + bytes, 0);
  return limit && written + local > quantityValue(limit) ? podStorageMessage(formatQuantity(limit)) : undefined;
}
