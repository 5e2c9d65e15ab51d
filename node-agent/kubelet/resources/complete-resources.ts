import type { StatedResources } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { type CgroupNames, isContainerCgroup } from '../../linux/cgroups/cgroup-names.ts';
import type { PresentLimits } from '../../linux/cgroups/cgroup-values.ts';
import type { Cgroups } from '../../linux/cgroups/cgroups.ts';
import { runtimeLabels } from '../runtime/labels.ts';

interface CompleteResourcesDependencies {
  readonly cgroups: Pick<Cgroups, 'children' | 'limits'>;
  readonly cgroupNames: CgroupNames;
}

/** A runtime that reports the resources of running containers, read from their cgroups if it does not do so itself. */
export function completeResources(runtime: ContainerRuntime, { cgroups, cgroupNames }: CompleteResourcesDependencies): ContainerRuntime {
  const find = async (uid: string, id: string): Promise<PresentLimits | undefined> => {
    for (const pod of cgroupNames.candidates(uid)) {
      const name = (await cgroups.children(pod)).find((child) => isContainerCgroup(child, id));
      if (name !== undefined) return cgroups.limits(`${pod}/${name}`);
    }
    return undefined;
  };
  return {
    ...runtime,
    async containerStatus(id) {
      const status = await runtime.containerStatus(id);
      const uid = status.labels[runtimeLabels.podUID];
      if (status.resources?.linux || status.state !== 'CONTAINER_RUNNING' || uid === undefined) return status;
      const limits = await find(uid, id);
      return limits ? { ...status, resources: { linux: statedResources(limits) } } : status;
    },
  };
}

function statedResources({ cpuShares, cpuQuota, cpuPeriod, memoryBytes }: PresentLimits): StatedResources {
  return {
    cpu_shares: cpuShares === undefined ? '' : String(cpuShares),
    cpu_quota: String(cpuQuota),
    cpu_period: String(cpuPeriod),
    memory_limit_in_bytes: String(memoryBytes),
  };
}
