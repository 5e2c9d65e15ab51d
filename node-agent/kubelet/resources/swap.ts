import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { podQOSClass } from '../../../api/semantics/pods/qos-class.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { LinuxResources } from '../../cri/messages.ts';
import { isStaticPod } from '../../../api/semantics/pods/is-static-pod.ts';
import { limitsOf, requestsOf } from './pod-resources.ts';
import type { AnyContainer } from '../../../api/semantics/pods/pod-containers.ts';

export const swapBehaviors = ['NoSwap', 'LimitedSwap'] as const;

/** Rules of containers' use of the machine's swap (KEP-2400). */
export interface SwapRules {
  readonly behavior: (typeof swapBehaviors)[number];
  readonly cgroupVersion: 1 | 2;
  /** Whether the kernel limits the swap of cgroups. */
  readonly limitsSwap: boolean;
  readonly machineSwapBytes: number;
  readonly machineMemoryBytes: number;
}

/**
 * A container's part of the swap: none, or as large a part as it requests of the memory, if its Pod is Burstable and it
 * may grow beyond its request. It is said also where the machine has none at present, for it may get some while containers
 * run. Hierarchies of version 1 know no swap without memory: there is none then.
 */
export function swapResources(
  pod: DeepReadonly<Pod>,
  container: AnyContainer,
  { behavior, cgroupVersion, limitsSwap, machineSwapBytes, machineMemoryBytes }: SwapRules,
): Pick<LinuxResources, 'memory_swap_limit_in_bytes' | 'unified'> {
  if (!limitsSwap) return {};
  const { memory: limit } = limitsOf(container);
  if (cgroupVersion === 1) return limit ? { memory_swap_limit_in_bytes: limit } : {};
  const { memory: request = 0 } = requestsOf(container);
  const isCritical = isStaticPod(pod) || (pod.spec?.priority ?? 0) >= 2_000_000_000;
  const mayGrow = behavior === 'LimitedSwap' && podQOSClass(pod) === 'Burstable' && request !== limit && !isCritical;
  const bytes = mayGrow ? Math.floor((request / machineMemoryBytes) * machineSwapBytes) : 0;
  return { unified: { 'memory.swap.max': String(bytes) } };
}
