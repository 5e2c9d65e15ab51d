import { defineSchedulerPlugin, unresolvable } from '../framework/framework.ts';

/** KEP-3521: a pod with scheduling gates is not looked at until they are gone. */
export const schedulingGates = defineSchedulerPlugin({
  name: 'SchedulingGates',
  retryOn: ['PodUpdate'],
  preEnqueue(pod) {
    const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name);
    return gates.length === 0 ? undefined : unresolvable(`waiting for scheduling gates: [${gates.join(' ')}]`);
  },
});
