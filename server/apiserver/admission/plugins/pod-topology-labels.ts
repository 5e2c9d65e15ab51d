import type { Lister } from '../../../../api/client/informers/informer.ts';
import { nodes } from '../../../../api/resources/core/v1/node.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import type { Binding, Node } from '../../../../api/types/core-v1.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject } from '../admission-request.ts';

const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'] as const;

/**
 * Gives a Pod the zone and region of its node as labels: with the Binding, whose labels become those of the Pod, or at once
 * where the Pod is made with a nodeName. A node that is not known has none.
 */
export const podTopologyLabels = defineAdmissionPlugin({
  name: 'PodTopologyLabels',
  operations: ['CREATE'],
  resources: [pods],
  reads: [nodes],
  async admit(request, { lister }) {
    if (request.subresource === 'binding' && request.object) {
      const binding = request.object as unknown as Binding;
      if (binding.target.kind === 'Node') addLabels(binding, binding.target.name, lister(nodes));
    }
    const pod = newObject(request, pods);
    if (pod?.spec?.nodeName) addLabels(pod, pod.spec.nodeName, lister(nodes));
  },
});

function addLabels({ metadata }: { readonly metadata: { labels?: Record<string, string> } }, node = '', known: Lister<Node>): void {
  const ofNode = known.find({ namespace: '', name: node })?.metadata.labels ?? {};
  for (const label of topologyLabels) {
    const value = ofNode[label];
    if (value !== undefined) metadata.labels = { ...metadata.labels, [label]: value };
  }
}
