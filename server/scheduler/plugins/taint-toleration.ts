import { findUntoleratedTaint, toleratesTaint } from '../../../api/semantics/nodes/taints.ts';
import { defineSchedulerPlugin, normalizeToHighest, unresolvable } from '../framework/framework.ts';

export const taintToleration = defineSchedulerPlugin({
  name: 'TaintToleration',
  weight: 3,
  retryOn: ['NodeAdd', 'NodeUpdate', 'PodUpdate'],
  filter(_state, pod, node) {
    const taint = findUntoleratedTaint(node.node.spec?.taints ?? [], pod.spec?.tolerations ?? [], ['NoSchedule', 'NoExecute']);
    // The message does not name the taint: not everybody may know it.
    return taint && unresolvable('node(s) had untolerated taint(s)');
  },
  /** How many soft taints the pod does not tolerate. */
  score(_state, pod, node) {
    const tolerations = (pod.spec?.tolerations ?? []).filter(({ effect }) => effect === undefined || effect === 'PreferNoSchedule');
    return (node.node.spec?.taints ?? []).filter(
      (taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => toleratesTaint(toleration, taint)),
    ).length;
  },
  normalize: (_state, scores) => normalizeToHighest(scores, true),
});
