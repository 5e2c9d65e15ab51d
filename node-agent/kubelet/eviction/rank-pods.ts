import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { isStaticPod } from '../../../api/semantics/pods/is-static-pod.ts';
import type { Signal } from './thresholds.ts';

/** A Pod with its usage of the scarce resource. */
export interface Candidate {
  readonly pod: DeepReadonly<Pod>;
  /** Bytes; of pid.available processes. */
  readonly usage: number;
}

/** The resource in Pods' requests for each signal. */
export const resourceOf: Readonly<Record<Signal, string>> = {
  'memory.available': 'memory',
  'allocatableMemory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes',
  'imagefs.available': 'ephemeral-storage',
  'imagefs.inodesFree': 'inodes',
  'containerfs.available': 'ephemeral-storage',
  'containerfs.inodesFree': 'inodes',
  'pid.available': 'pids',
};

const systemCriticalPriority = 2_000_000_000;

/** Whether a Pod is critical, so that it is not evicted. */
export function isCritical(pod: DeepReadonly<Pod>): boolean {
  return isStaticPod(pod) || (pod.spec?.priority ?? 0) >= systemCriticalPriority;
}

function requestOf(pod: DeepReadonly<Pod>, resource: string): number {
  const request = podRequests(pod).get(resource);
  return request ? quantityValue(request) : 0;
}

/**
 * The order of eviction: who uses more than was requested, then the lower priority, then who is further above the request
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/). Nobody requests inodes, so that every Pod
 * with some of them uses more than that; with processes the priority alone comes first.
 */
export function rankPods(candidates: readonly Candidate[], signal: Signal): Candidate[] {
  const resource = resourceOf[signal];
  const ranked = candidates.map((candidate) => {
    const excess = candidate.usage - requestOf(candidate.pod, resource);
    return { candidate, excess, priority: candidate.pod.spec?.priority ?? 0 };
  });
  const exceeds = ({ excess }: { readonly excess: number }) => (resource !== 'pids' && excess > 0 ? 0 : 1);
  return ranked.sort((a, b) => exceeds(a) - exceeds(b) || a.priority - b.priority || b.excess - a.excess).map(({ candidate }) => candidate);
}
