import { podAmounts } from '../cache/resource-amounts.ts';
import { defineSchedulerPlugin, maxNodeScore, skip } from '../framework/framework.ts';

/** Prefers nodes whose processor and memory would be used to the same degree. */
export const nodeResourcesBalancedAllocation = defineSchedulerPlugin({
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  retryOn: [],
  /** KEP-4950: without this, pods without requests would all be placed on one node. */
  preScore: (_state, pod) => (podAmounts(pod).requests.size === 0 ? skip : undefined),
  score(_state, pod, node) {
    const mine = podAmounts(pod).requests;
    const fractions = ['cpu', 'memory'].flatMap((resource) => {
      const allocatable = node.allocatable.get(resource) ?? 0;
      return allocatable === 0 ? [] : [Math.min(1, ((node.requested.get(resource) ?? 0) + (mine.get(resource) ?? 0)) / allocatable)];
    });
    if (fractions.length < 2) return maxNodeScore;
    const [a = 0, b = 0] = fractions;
    return Math.floor((1 - Math.abs(a - b) / 2) * maxNodeScore);
  },
});
