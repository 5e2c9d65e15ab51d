import { findImageReference, formatImageReference } from '../../../api/semantics/pods/image-reference.ts';
import { defineSchedulerPlugin, maxNodeScore, skip } from '../framework/framework.ts';

const megabyte = 1024 * 1024;
const minThreshold = 23 * megabyte;
const maxContainerThreshold = 1000 * megabyte;

/** Prefers nodes that hold the pod's large images already, less so when few nodes have them (no hot spots). */
export const imageLocality = defineSchedulerPlugin({
  name: 'ImageLocality',
  retryOn: [],
  preScore: (_state, pod) => ((pod.spec?.containers ?? []).some(({ image }) => image) ? undefined : skip),
  score(_state, pod, node, cluster) {
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    let sum = 0;
    for (const { image } of containers) {
      const name = normalizeImageName(image ?? '');
      const size = node.imageSizes.get(name);
      if (size === undefined) continue;
      const holders = cluster.nodes.filter((other) => other.imageSizes.has(name)).length;
      sum += Math.floor(size * (holders / cluster.nodes.length));
    }
    const maxThreshold = maxContainerThreshold * Math.max(1, containers.length);
    const bounded = Math.min(Math.max(sum, minThreshold), maxThreshold);
    return Math.floor((maxNodeScore * (bounded - minThreshold)) / (maxThreshold - minThreshold));
  },
});

/** An image's name as nodes list it: a name without a tag means :latest. */
function normalizeImageName(image: string): string {
  const reference = findImageReference(image);
  return reference ? formatImageReference(reference) : image;
}
