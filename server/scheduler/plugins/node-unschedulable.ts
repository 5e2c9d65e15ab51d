import { toleratesTaint, wellKnownTaints } from '../../../api/semantics/nodes/taints.ts';
import { defineSchedulerPlugin, unresolvable } from '../framework/framework.ts';

export const nodeUnschedulable = defineSchedulerPlugin({
  name: 'NodeUnschedulable',
  retryOn: ['NodeAdd', 'NodeUpdate', 'PodUpdate'],
  filter(_state, pod, node) {
    if (!node.node.spec?.unschedulable) return undefined;
    const taint = { key: wellKnownTaints.unschedulable, effect: 'NoSchedule' } as const;
    return (pod.spec?.tolerations ?? []).some((toleration) => toleratesTaint(toleration, taint))
      ? undefined
      : unresolvable('node(s) were unschedulable');
  },
});
