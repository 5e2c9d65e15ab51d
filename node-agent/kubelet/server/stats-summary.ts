import { formatTime } from '../../../api/meta/time.ts';
import type { ContainerStats } from '../../cri/messages.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { PodWorkers } from '../pod-workers/pod-workers.ts';
import { runtimeLabels } from '../runtime/labels.ts';
import { nanosToMs } from '../runtime/runtime-pod.ts';

export interface StatsDependencies {
  readonly runtime: ContainerRuntime;
  readonly workers: PodWorkers;
  readonly nodeName: string;
  /** Since when the agent runs, milliseconds since the Unix epoch. */
  readonly startedMs: number;
}

/** GET /stats/summary: CPU and memory of each container and Pod (https://kubernetes.io/docs/reference/instrumentation/node-metrics/). */
export async function summarizeStats({ runtime, workers, nodeName, startedMs }: StatsDependencies): Promise<unknown> {
  const stats = await runtime.listContainerStats();
  const pods = workers.all().flatMap((worker) => {
    const { name, namespace, uid, creationTimestamp } = worker.pod().metadata;
    const own = stats.filter(({ attributes }) => attributes.labels[runtimeLabels.podUID] === uid);
    if (own.length === 0) return [];
    const containers = own.map(containerSummary);
    return [
      { podRef: { name, namespace, uid }, startTime: worker.pod().status?.startTime ?? creationTimestamp, containers, ...sumOf(own) },
    ];
  });
  return { node: { nodeName, startTime: formatTime(startedMs), ...sumOf(stats) }, pods };
}

const number = (value: { readonly value: string } | null | undefined) => Number(value?.value ?? 0);

function containerSummary({ attributes, cpu, memory }: ContainerStats) {
  return {
    name: attributes.metadata.name,
    cpu: {
      time: cpu ? formatTime(nanosToMs(cpu.timestamp)) : null,
      usageNanoCores: number(cpu?.usage_nano_cores),
      usageCoreNanoSeconds: number(cpu?.usage_core_nano_seconds),
    },
    memory: {
      time: memory ? formatTime(nanosToMs(memory.timestamp)) : null,
      usageBytes: number(memory?.usage_bytes),
      workingSetBytes: number(memory?.working_set_bytes),
      rssBytes: number(memory?.rss_bytes),
      pageFaults: number(memory?.page_faults),
      majorPageFaults: number(memory?.major_page_faults),
    },
  };
}

function sumOf(stats: readonly ContainerStats[]) {
  const sum = (of: (one: ContainerStats) => number) => stats.reduce((total, one) => total + of(one), 0);
  const [first] = stats.flatMap(({ cpu }) => cpu ?? []);
  const time = first ? formatTime(nanosToMs(first.timestamp)) : null;
  return {
    cpu: {
      time,
      usageNanoCores: sum(({ cpu }) => number(cpu?.usage_nano_cores)),
      usageCoreNanoSeconds: sum(({ cpu }) => number(cpu?.usage_core_nano_seconds)),
    },
    memory: {
      time,
      usageBytes: sum(({ memory }) => number(memory?.usage_bytes)),
      workingSetBytes: sum(({ memory }) => number(memory?.working_set_bytes)),
      rssBytes: sum(({ memory }) => number(memory?.rss_bytes)),
    },
  };
}
