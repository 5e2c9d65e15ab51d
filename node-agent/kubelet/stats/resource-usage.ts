import type { Clock } from '../../../api/base/clock.ts';
import type { ListedContainer, Sandbox } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { type CgroupNames, isContainerCgroup } from '../../linux/cgroups/cgroup-names.ts';
import type { CgroupTreeUsage, CgroupUsage, UsageReader } from '../../linux/machine/node-usage.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import { nanosToMs } from '../runtime/runtime-pod.ts';
import type { CPUStats, MemoryStats } from './node-stats.ts';
import type { ContainerResourceUsage, PodResourceUsage, ResourceUsage } from './resource-metrics.ts';

interface ResourceUsageDependencies {
  readonly runtime: Pick<ContainerRuntime, 'listPodSandboxes' | 'listContainers'>;
  readonly usage: Pick<UsageReader, 'node' | 'tree'>;
  readonly clock: Clock;
  readonly cgroupNames: CgroupNames;
}

/**
 * Processor time and memory of the node, its Pods and their running containers, read from their cgroups. The runtime is only
 * asked for lists that it has at hand: to tell usage it would ask every shim in turn, which takes long on a busy machine.
 * Undefined where no Pod has a cgroup here: the runtime keeps them elsewhere.
 */
export async function readResourceUsage(dependencies: ResourceUsageDependencies): Promise<ResourceUsage | undefined> {
  const { runtime, usage, clock, cgroupNames } = dependencies;
  const [node, sandboxes, containers] = await Promise.all([usage.node(), runtime.listPodSandboxes(), runtime.listContainers()]);
  const ready = sandboxes.filter(({ state }) => state === 'SANDBOX_READY');
  const running = Map.groupBy(
    containers.filter(({ state }) => state === 'CONTAINER_RUNNING'),
    ({ pod_sandbox_id }) => pod_sandbox_id,
  );
  const findTree = async (uid: string) => {
    for (const name of cgroupNames.candidates(uid)) {
      const tree = await usage.tree(name);
      if (tree) return tree;
    }
    return undefined;
  };
  const found = await Promise.all(
    ready.map(async (sandbox): Promise<PodResourceUsage[]> => {
      const tree = await findTree(sandbox.labels[runtimeLabels.podUID] ?? sandbox.metadata.uid);
      return tree ? [podUsage(sandbox, running.get(sandbox.id) ?? [], tree, clock.nowMs())] : []; // it has just gone
    }),
  );
  const pods = found.flat();
  if (pods.length === 0 && ready.length > 0) return undefined;
  const timeMs = clock.nowMs();
  return { timeMs, usage: node, cpu: { timeMs, usageCoreNanoSeconds: node.cpuNanoSeconds, usageNanoCores: undefined }, pods };
}

function podUsage(
  { metadata }: Sandbox,
  containers: readonly ListedContainer[],
  { usage, children }: CgroupTreeUsage,
  timeMs: number,
): PodResourceUsage {
  const newestFirst = [...containers].sort((a, b) => (BigInt(a.created_at) < BigInt(b.created_at) ? 1 : -1));
  const byName = new Map<string, ContainerResourceUsage>();
  for (const { id, metadata: container, created_at } of newestFirst) {
    if (byName.has(container.name)) continue;
    const own = [...children].find(([name]) => isContainerCgroup(name, id))?.[1];
    byName.set(container.name, {
      name: container.name,
      startedMs: nanosToMs(created_at),
      cpu: own && cpuOf(own, timeMs),
      memory: own && memoryOf(own, timeMs),
      swapBytes: own?.swapBytes,
    });
  }
  const { name, namespace } = metadata;
  return { name, namespace, cpu: cpuOf(usage, timeMs), memory: memoryOf(usage, timeMs), containers: [...byName.values()] };
}

function cpuOf({ cpuNanoSeconds }: CgroupUsage, timeMs: number): CPUStats {
  return { timeMs, usageCoreNanoSeconds: cpuNanoSeconds, usageNanoCores: undefined };
}

function memoryOf({ memory }: CgroupUsage, timeMs: number): MemoryStats {
  return { timeMs, ...memory };
}
