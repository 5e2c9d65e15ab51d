import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { podQOSClass } from '../../../api/semantics/pods/qos-class.ts';
import { toleratesTaint, wellKnownTaints } from '../../../api/semantics/nodes/taints.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { conditionMessage } from './messages.ts';
import { isCritical } from './rank-pods.ts';
import type { NodePressure } from './thresholds.ts';

/**
 * Why a Pod does not come in while something is short: it would be the next to go. Short of memory alone, those that
 * request some come in, and those that tolerate it.
 */
export function refuseUnderPressure(
  pod: DeepReadonly<Pod>,
  pressures: ReadonlySet<NodePressure>,
): { readonly reason: string; readonly message: string } | undefined {
  if (pressures.size === 0 || isCritical(pod)) return undefined;
  if (pressures.size === 1 && pressures.has('MemoryPressure')) {
    if (podQOSClass(pod) !== 'BestEffort') return undefined;
    const taint = { key: wellKnownTaints.memoryPressure, effect: 'NoSchedule' } as const;
    if (pod.spec?.tolerations?.some((toleration) => toleratesTaint(toleration, taint))) return undefined;
  }
  return { reason: 'Evicted', message: `Pod was rejected: ${conditionMessage([...pressures])}` };
}
