import { defineSchedulerPlugin, unresolvable } from '../framework/framework.ts';

export const nodeName = defineSchedulerPlugin({
  name: 'NodeName',
  retryOn: ['NodeAdd'],
  filter(_state, pod, node) {
    const wanted = pod.spec?.nodeName;
    return wanted === undefined || wanted === '' || wanted === node.name
      ? undefined
      : unresolvable("node(s) didn't match the requested node name");
  },
});
