import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import type { ResourceUsage } from '../../../api/resources/metrics/v1beta1/metrics.ts';
import type { ContainerPoint, NodeScrape, UsagePoint } from './parse-resource-metrics.ts';

/** Two looks at a node. */
export interface NodeWindow {
  readonly before: NodeScrape;
  readonly after: NodeScrape;
}

export interface Usage {
  readonly endMs: number;
  readonly windowMs: number;
  readonly usage: ResourceUsage;
}

/** A container that was started between two measurements has a rate once it has run for this long. */
const freshMs = 10_000;

export function nodeUsage({ before, after }: NodeWindow): Usage | undefined {
  return before.node && after.node && usageBetween(before.node, after.node);
}

/** Usage of all containers of a Pod; undefined unless all are known: half of a Pod would be taken for the whole. */
export function podUsage({ before, after }: NodeWindow, pod: string): ReadonlyMap<string, Usage> | undefined {
  const containers = after.pods.get(pod);
  if (!containers || containers.size === 0) return undefined;
  const usages = new Map<string, Usage>();
  for (const [name, point] of containers) {
    const usage = containerUsage(before.pods.get(pod)?.get(name), point);
    if (!usage) return undefined;
    usages.set(name, usage);
  }
  return usages;
}

function containerUsage(before: ContainerPoint | undefined, after: ContainerPoint): Usage | undefined {
  const { startedMs } = after;
  const isSame = before && (startedMs === undefined || before.startedMs === startedMs);
  if (isSame) return usageBetween(before, after);
  if (startedMs === undefined || after.timeMs - startedMs < freshMs) return undefined;
  return usageBetween({ timeMs: startedMs, cpuSeconds: 0, memoryBytes: 0 }, after);
}

function usageBetween(before: UsagePoint, after: UsagePoint): Usage | undefined {
  const windowMs = after.timeMs - before.timeMs;
  if (windowMs <= 0 || after.cpuSeconds < before.cpuSeconds) return undefined;
  const nanocores = Math.round(((after.cpuSeconds - before.cpuSeconds) * 1e9) / (windowMs / 1000));
  return {
    endMs: after.timeMs,
    windowMs,
    usage: {
      cpu: formatQuantity({ unscaled: BigInt(nanocores), scale: -9, format: 'DecimalSI' }),
      memory: formatQuantity({ unscaled: BigInt(Math.round(after.memoryBytes)), scale: 0, format: 'BinarySI' }),
    },
  };
}
