import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import { quantityOf, milliQuantityOf } from '../../../api/base/quantity/arithmetic.ts';
import type { Pod, ResourceRequirements } from '../../../api/types/core-v1.ts';
import type { LinuxResources, StatedResources } from '../../cri/messages.ts';
import { hugePageLimits } from './huge-pages.ts';
import { oomGroup, type OOMGroupRules } from './oom-group.ts';
import { swapResources, type SwapRules } from './swap.ts';
import { boundedByPod, cpuQuota, cpuShares, limitsOf, oomScoreAdj, requestsOf } from './pod-resources.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

/** The node's rules for the resources of all containers. */
export interface ContainerRules extends SwapRules, OOMGroupRules {
  /** Sizes of the huge pages that the kernel limits, in bytes. */
  readonly hugePageSizes?: readonly number[];
}

/** The resources that the runtime is asked to give a container. */
export function linuxResources(pod: DeepReadonly<Pod>, container: AnyContainer, rules: ContainerRules): LinuxResources {
  const bounded = boundedByPod(pod, container);
  const requests = requestsOf(bounded);
  const limits = limitsOf(bounded);
  const quota = limits.cpu === undefined ? 0 : cpuQuota(limits.cpu);
  const swap = swapResources(pod, container, rules);
  const huge = Object.entries(hugePageLimits(rules.hugePageSizes ?? [], container.resources?.limits));
  const unified = { ...oomGroup(rules), ...swap.unified };
  return {
    cpu_shares: cpuShares(requests.cpu ?? 0),
    ...(quota > 0 ? { cpu_quota: quota, cpu_period: 100_000 } : {}),
    ...(limits.memory ? { memory_limit_in_bytes: limits.memory } : {}),
    oom_score_adj: oomScoreAdj(pod, container, rules.machineMemoryBytes),
    ...swap,
    ...(Object.keys(unified).length > 0 ? { unified } : {}),
    ...(huge.length > 0 ? { hugepage_limits: huge.map(([page_size, limit]) => ({ page_size, limit })) } : {}),
  };
}

/**
 * The resources of a container, with the limits of its Pod, that the runtime has not changed yet. A runtime that does not report them
 * counts as up to date.
 */
export function outdatedResources(container: AnyContainer, actual: StatedResources | undefined): ('cpu' | 'memory')[] {
  if (!actual) return [];
  const { cpu: request } = requestsOf(container);
  const { cpu, memory } = limitsOf(container);
  const positive = (value: string) => Math.max(0, Number(value));
  const wantsQuota = cpu === undefined ? 0 : cpuQuota(cpu);
  const period = positive(actual.cpu_period) || 100_000;
  const isCPU =
    (actual.cpu_shares === '' || Number(actual.cpu_shares) === cpuShares(request ?? 0)) &&
    Math.round((positive(actual.cpu_quota) * 100_000) / period) === wantsQuota;
  const isMemory = positive(actual.memory_limit_in_bytes) === (memory ?? 0);
  return [...(isCPU ? [] : (['cpu'] as const)), ...(isMemory ? [] : (['memory'] as const))];
}

/**
 * The present resources of a container in API form: the allocated ones, except for changes that the runtime has not made yet. Only the
 * allocation knows requests of memory.
 */
export function presentResources(
  pod: DeepReadonly<Pod>,
  container: AnyContainer,
  actual: StatedResources | undefined,
): DeepReadonly<ResourceRequirements> {
  const resources = container.resources ?? {};
  const outdated = outdatedResources(boundedByPod(pod, container), actual);
  if (!actual || outdated.length === 0) return resources;
  const requests = { ...resources.requests };
  const limits = { ...resources.limits };
  const set = (list: Record<string, string>, name: string, value: string | undefined) => {
    if (value === undefined) delete list[name];
    else list[name] = value;
  };
  if (outdated.includes('cpu')) {
    const shares = Number(actual.cpu_shares);
    const quota = Number(actual.cpu_quota);
    if (actual.cpu_shares !== '') set(requests, 'cpu', shares > 2 ? milli(Math.ceil((shares * 1000) / 1024)) : undefined);
    set(limits, 'cpu', quota > 0 ? milli(Math.round((quota * 1000) / (Number(actual.cpu_period) || 100_000))) : undefined);
  }
  if (outdated.includes('memory')) {
    const limit = Number(actual.memory_limit_in_bytes);
    set(limits, 'memory', limit > 0 ? formatQuantity(quantityOf(limit, 'BinarySI')) : undefined);
  }
  return {
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
  };
}

function milli(value: number): string {
  return formatQuantity(milliQuantityOf(value));
}
