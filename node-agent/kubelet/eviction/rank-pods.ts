import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityValue } from '../../../api/quantity/arithmetic.ts';
import { podRequests } from '../../../api/semantics/pod-resources.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { isStaticPod } from '../static-pods/is-static-pod.ts';
import type { Signal } from './thresholds.ts';

/** A Pod with what it uses of what is short. */
export interface Candidate {
  readonly pod: DeepReadonly<Pod>;
  /** Bytes; of pid.available processes. */
  readonly usage: number;
}

/** What Pods request of what a signal is about. */
export const resourceOf: Readonly<Record<Signal, string>> = {
  'memory.available': 'memory',
  'nodefs.available': 'ephemeral-storage',
  'nodefs.inodesFree': 'inodes',
  'imagefs.available': 'ephemeral-storage',
  'imagefs.inodesFree': 'inodes',
  'pid.available': 'pids',
};

const systemCriticalPriority = 2_000_000_000;

/** Nobody evicts what the node or the cluster cannot do without. */
export function isCritical(pod: DeepReadonly<Pod>): boolean {
  return isStaticPod(pod) || (pod.spec?.priority ?? 0) >= systemCriticalPriority;
}

export function requestOf(pod: DeepReadonly<Pod>, resource: string): number {
  const request = podRequests(pod).get(resource);
  return request ? quantityValue(request) : 0;
}

/**
 * Who goes first: who uses more than was requested, then the lower priority, then who is further above the request
 * (https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/). Inodes and processes are requested by
 * nobody.
 */
export function rankPods(candidates: readonly Candidate[], signal: Signal): Candidate[] {
  const resource = resourceOf[signal];
  const isRequested = resource === 'memory' || resource === 'ephemeral-storage';
  const ranked = candidates.map((candidate) => {
    const excess = candidate.usage - (isRequested ? requestOf(candidate.pod, resource) : 0);
    return { candidate, excess, priority: candidate.pod.spec?.priority ?? 0 };
  });
  const exceeds = ({ excess }: { readonly excess: number }) => (isRequested && excess > 0 ? 0 : 1);
  return ranked.sort((a, b) => exceeds(a) - exceeds(b) || a.priority - b.priority || b.excess - a.excess).map(({ candidate }) => candidate);
}
