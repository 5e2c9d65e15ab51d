import { hostPorts, hostPortsConflict } from '../../../api/semantics/pods/pod-ports.ts';
import { defineSchedulerPlugin, skip, unschedulable } from '../framework/framework.ts';

export const nodePorts = defineSchedulerPlugin({
  name: 'NodePorts',
  retryOn: ['NodeAdd', 'PodDelete'],
  preFilter: (_state, pod) => (hostPorts(pod).length === 0 ? { status: skip } : undefined),
  filter(_state, pod, node) {
    const wanted = hostPorts(pod);
    for (const other of node.pods) {
      const used = hostPorts(other);
      if (wanted.some((mine) => used.some((its) => hostPortsConflict(mine, its))))
        return unschedulable("node(s) didn't have free ports for the requested pod ports");
    }
    return undefined;
  },
});
