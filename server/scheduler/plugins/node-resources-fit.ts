import { podAmounts } from '../cache/resource-amounts.ts';
import { defineSchedulerPlugin, maxNodeScore, unresolvable } from '../framework/framework.ts';
import type { PluginStatus } from '../framework/plugin-status.ts';

/** Enough of every resource that the pod asks for; scores nodes by how much would stay free (LeastAllocated). */
export const nodeResourcesFit = defineSchedulerPlugin({
  name: 'NodeResourcesFit',
  weight: 1,
  retryOn: ['NodeAdd', 'NodeUpdate', 'PodDelete', 'PodUpdate'],
  filter(_state, pod, node): PluginStatus | undefined {
    const reasons: string[] = [];
    let unresolvableHere = false;
    if ((node.requested.get('pods') ?? 0) + 1 > (node.allocatable.get('pods') ?? 0)) reasons.push('Too many pods');
    for (const [resource, amount] of podAmounts(pod).requests) {
      if (amount === 0) continue;
      const allocatable = node.allocatable.get(resource) ?? 0;
      if (amount <= allocatable - (node.requested.get(resource) ?? 0)) continue;
      reasons.push(`Insufficient ${resource}`);
      if (amount > allocatable) unresolvableHere = true;
    }
    if (reasons.length === 0) return undefined;
    return unresolvableHere ? unresolvable(...reasons) : { code: 'Unschedulable', reasons };
  },
  score(_state, pod, node) {
    const mine = podAmounts(pod).nonZero;
    const free = (resource: 'cpu' | 'memory') => {
      const allocatable = node.allocatable.get(resource) ?? 0;
      const requested = node.nonZeroRequested[resource] + mine[resource];
      return allocatable === 0 || requested > allocatable ? 0 : Math.floor(((allocatable - requested) * maxNodeScore) / allocatable);
    };
    return Math.floor((free('cpu') + free('memory')) / 2);
  },
});
