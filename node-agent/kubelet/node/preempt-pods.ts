import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityMilliValue, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { podQOSClass } from '../../../api/semantics/pods/qos-class.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { isCritical } from '../eviction/rank-pods.ts';

/** How much of a resource is missing: of cpu thousandths, of memory bytes, of pods how many. */
export interface Shortage {
  readonly resource: string;
  readonly amount: number;
}

type Preemption = { readonly victims: readonly DeepReadonly<Pod>[] } | { readonly problem: string };

/**
 * Chooses the Pods that are ended for a critical one: as few as possible of the lowest QoS class, and of a higher class only if all lower
 * ones together are not enough.
 */
export function planPreemption(
  critical: DeepReadonly<Pod>,
  others: readonly DeepReadonly<Pod>[],
  shortages: readonly Shortage[],
): Preemption {
  const candidates = others.filter((other) => givesWay(other, critical));
  const ofClass = (name: string) => candidates.filter((pod) => podQOSClass(pod) === name);
  const [bestEffort, burstable, guaranteed] = [ofClass('BestEffort'), ofClass('Burstable'), ofClass('Guaranteed')];
  const missing = without(shortages, candidates);
  if (missing.length > 0) return { problem: `no set of running pods found to reclaim resources: ${text(missing)}` };
  const third = nearest(guaranteed, without(shortages, [...bestEffort, ...burstable]));
  const second = nearest(burstable, without(shortages, [...bestEffort, ...third]));
  const first = nearest(bestEffort, without(shortages, [...second, ...third]));
  return { victims: [...first, ...second, ...third] };
}

function givesWay(pod: DeepReadonly<Pod>, critical: DeepReadonly<Pod>): boolean {
  if (!isCritical(pod)) return true;
  const [own, others] = [critical.spec?.priority, pod.spec?.priority];
  return own !== undefined && others !== undefined && own > others;
}

/**
 * Takes one Pod after another, each time the one whose requests come nearest to the missing resources; among equals the one with smaller
 * requests.
 */
function nearest(pods: readonly DeepReadonly<Pod>[], shortages: readonly Shortage[]): DeepReadonly<Pod>[] {
  const left = [...pods];
  const chosen: DeepReadonly<Pod>[] = [];
  let missing = shortages;
  while (missing.length > 0 && left.length > 0) {
    const best = left.reduce((a, b) => {
      const difference = distance(missing, b) - distance(missing, a);
      return difference < 0 || (difference === 0 && requestsLess(b, a)) ? b : a;
    });
    left.splice(left.indexOf(best), 1);
    chosen.push(best);
    missing = without(missing, [best]);
  }
  return chosen;
}

/** Each resource counts by the share of it that would still be missing, squared. */
function distance(shortages: readonly Shortage[], pod: DeepReadonly<Pod>): number {
  return shortages.reduce((sum, { resource, amount }) => sum + (Math.max(0, amount - requested(pod, resource)) / amount) ** 2, 0);
}

function requestsLess(a: DeepReadonly<Pod>, b: DeepReadonly<Pod>): boolean {
  const differing = ['memory', 'cpu'].find((resource) => requested(a, resource) !== requested(b, resource));
  return differing === undefined || requested(a, differing) < requested(b, differing);
}

function without(shortages: readonly Shortage[], pods: readonly DeepReadonly<Pod>[]): Shortage[] {
  return shortages.flatMap(({ resource, amount }) => {
    const left = amount - pods.reduce((sum, pod) => sum + requested(pod, resource), 0);
    return left > 0 ? [{ resource, amount: left }] : [];
  });
}

function requested(pod: DeepReadonly<Pod>, resource: string): number {
  if (resource === 'pods') return 1;
  const request = podRequests(pod).get(resource);
  if (!request) return 0;
  return resource === 'cpu' ? quantityMilliValue(request) : quantityValue(request);
}

function text(shortages: readonly Shortage[]): string {
  return `[${shortages.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join('')}]`;
}
