import { nodes } from '../../../../api/resources/core/v1/node.ts';
import { wellKnownTaints } from '../../../../api/semantics/nodes/taints.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

/** Keeps Pods off a new Node until the node lifecycle controller has seen that it is ready. */
export const taintNodesByCondition = defineAdmissionPlugin({
  name: 'TaintNodesByCondition',
  operations: ['CREATE'],
  resources: [nodes],
  async admit(request) {
    const node = newObject(request, nodes);
    if (!node) return;
    node.spec ??= {};
    const taints = node.spec.taints ?? [];
    const isThere = taints.some(({ key, effect }) => key === wellKnownTaints.notReady && effect === 'NoSchedule');
    if (!isThere) node.spec.taints = [...taints, { key: wellKnownTaints.notReady, effect: 'NoSchedule' }];
  },
});
