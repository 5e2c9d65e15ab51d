import type { Clock } from '../../../api/base/clock.ts';
import { CRIError } from '../../cri/cri-error.ts';
import type { ContainerStats, MemoryUsage, Sandbox, SandboxStats } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { type CgroupNames, isContainerCgroup } from '../../linux/cgroups/cgroup-names.ts';
import type { CgroupUsage, InterfaceCounters, UsageReader } from '../../linux/machine/node-usage.ts';
import { runtimeLabels } from '../runtime/labels.ts';

interface SandboxStatsDependencies {
  readonly runtime: ContainerRuntime;
  readonly usage: UsageReader;
  readonly clock: Clock;
  readonly cgroupNames: CgroupNames;
}

/**
 * Usage of all Pods, as the runtime reports it; values that it leaves out of a Pod as a whole are read from the Pod's cgroup.
 * Where the runtime reports none of Pods, or fails to, since one Pod is broken or ending, their cgroups and network namespaces
 * are read instead, and it is only asked for what containers have written.
 */
export function createSandboxStatsReader(dependencies: SandboxStatsDependencies): () => Promise<readonly SandboxStats[]> {
  const { runtime } = dependencies;
  let isUnknown = false;
  const ask = async (): Promise<readonly SandboxStats[] | undefined> => {
    // A Pod that ends at that very moment makes the whole fail.
    for (let attempt = 0; attempt < 2 && !isUnknown; attempt++) {
      try {
        return await runtime.listPodSandboxStats();
      } catch (error) {
        const code = error instanceof CRIError ? error.code : undefined;
        if (code === 'Unimplemented') isUnknown = true;
        else if (attempt > 0 && code !== 'Unknown') throw error;
      }
    }
    return undefined;
  };
  return async () => {
    const told = await ask();
    return told ? await Promise.all(told.map((one) => completed(one, dependencies))) : await readFromCgroups(dependencies);
  };
}

async function completed(told: SandboxStats, { usage, clock, cgroupNames }: SandboxStatsDependencies): Promise<SandboxStats> {
  const { attributes, linux } = told;
  if (!linux || (linux.cpu?.usage_core_nano_seconds && linux.memory?.working_set_bytes)) return told;
  for (const name of cgroupNames.candidates(uidOf(attributes))) {
    const used = await usage.cgroup(name);
    if (used) return { ...told, linux: { ...linux, ...stats(used, timestampOf(clock)) } };
  }
  return told;
}

async function readFromCgroups(dependencies: SandboxStatsDependencies): Promise<SandboxStats[]> {
  const { runtime, usage, clock, cgroupNames } = dependencies;
  const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainerStats()]);
  const all = await Promise.all(
    sandboxes
      .filter(({ state }) => state === 'SANDBOX_READY')
      .map(async (sandbox): Promise<SandboxStats[]> => {
        const uid = uidOf(sandbox);
        for (const name of cgroupNames.candidates(uid)) {
          const pod = await usage.pod(name);
          if (!pod) continue;
          const timestamp = timestampOf(clock);
          const own = containers.filter(({ attributes }) => attributes.labels[runtimeLabels.podUID] === uid);
          const network = pod.interfaces.map(interfaceStats);
          const first = network.find(({ name }) => name === pod.defaultInterface);
          const linux = {
            ...stats(pod.usage, timestamp),
            network: { timestamp, default_interface: first ?? null, interfaces: network.filter((one) => one !== first) },
            process: { process_count: value(pod.processes) },
            containers: own.map((container) => ({
              ...container,
              ...stats(usageOf(pod.children, container.attributes.id), timestamp),
            })),
          };
          return [{ attributes: { id: sandbox.id, metadata: sandbox.metadata, labels: sandbox.labels }, linux }];
        }
        return []; // it has just gone
      }),
  );
  return all.flat();
}

/** Nanoseconds, as on the wire. */
function timestampOf(clock: Clock): string {
  return String(BigInt(clock.nowMs()) * 1_000_000n);
}

function uidOf({ labels, metadata }: Pick<Sandbox, 'labels' | 'metadata'>): string {
  return labels[runtimeLabels.podUID] ?? metadata.uid;
}

function usageOf(children: ReadonlyMap<string, CgroupUsage>, id: string): CgroupUsage | undefined {
  for (const [name, usage] of children) if (isContainerCgroup(name, id)) return usage;
  return undefined;
}

/** Statistics of a cgroup; none if there is no cgroup, in which case the runtime's values are used. */
function stats(usage: CgroupUsage, timestamp: string): Pick<ContainerStats, 'cpu' | 'memory'>;
function stats(usage: CgroupUsage | undefined, timestamp: string): Partial<Pick<ContainerStats, 'cpu' | 'memory'>>;
function stats(usage: CgroupUsage | undefined, timestamp: string): Partial<Pick<ContainerStats, 'cpu' | 'memory'>> {
  if (!usage) return {};
  const { memory, cpuNanoSeconds } = usage;
  const amounts: MemoryUsage = {
    timestamp,
    working_set_bytes: value(memory.workingSetBytes),
    available_bytes: null,
    usage_bytes: value(memory.usageBytes),
    rss_bytes: value(memory.rssBytes),
    page_faults: value(memory.pageFaults),
    major_page_faults: value(memory.majorPageFaults),
  };
  return { cpu: { timestamp, usage_core_nano_seconds: value(cpuNanoSeconds), usage_nano_cores: null }, memory: amounts };
}

function interfaceStats({ name, rxBytes, rxErrors, txBytes, txErrors }: InterfaceCounters) {
  return { name, rx_bytes: value(rxBytes), rx_errors: value(rxErrors), tx_bytes: value(txBytes), tx_errors: value(txErrors) };
}

function value(number: number): { readonly value: string } {
  return { value: String(number) };
}
