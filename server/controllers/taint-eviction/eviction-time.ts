import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { findTime } from '../../../api/meta/time.ts';
import { tolerationSeconds, toleratesTaint } from '../../../api/semantics/nodes/taints.ts';
import type { Node, Pod, Taint } from '../../../api/types/core-v1.ts';

/**
 * When the Pod has to leave its node because of NoExecute taints, milliseconds since the epoch; undefined if it may stay. A
 * tolerated time runs from when the taint was put there, as far as that is known, so that a restart does not begin it anew.
 */
export function evictionTimeMs(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>, nowMs: number): number | undefined {
  const taints = (node.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
  if (taints.length === 0) return undefined;
  const tolerations = pod.spec?.tolerations;
  const isTolerated = (taint: DeepReadonly<Taint>) => tolerations?.some((toleration) => toleratesTaint(toleration, taint)) ?? false;
  if (!taints.every(isTolerated)) return nowMs;
  let earliest: number | undefined;
  for (const taint of taints) {
    const seconds = tolerationSeconds([taint], tolerations);
    if (seconds === undefined) continue;
    const atMs = (findTime(taint.timeAdded) ?? nowMs) + seconds * 1000;
    earliest = Math.min(earliest ?? atMs, atMs);
  }
  return earliest;
}
