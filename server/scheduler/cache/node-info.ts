import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { formatKey, keyOf } from '../../../api/meta/object.ts';
import { findImageReference, formatImageReference } from '../../../api/semantics/pods/image-reference.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import { podAmounts, type ResourceAmounts, resourceAmounts } from './resource-amounts.ts';

/** A node with its pods, the assumed ones included, and their total resources. */
export interface NodeInfo {
  readonly name: string;
  readonly node: DeepReadonly<Node>;
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly podsWithAntiAffinity: readonly DeepReadonly<Pod>[];
  readonly allocatable: ResourceAmounts;
  /** Sum of the pods' requests; 'pods' counts them. */
  readonly requested: ResourceAmounts;
  /** The requests, with upstream's minimum for Pods that request nothing: for scores. */
  readonly nonZeroRequested: { readonly cpu: number; readonly memory: number };
  /** Full image name -> bytes. */
  readonly imageSizes: ReadonlyMap<string, number>;
}

export function createNodeInfo(node: DeepReadonly<Node>, pods: Iterable<DeepReadonly<Pod>>): NodeInfo {
  const list = [...pods];
  const requested = new Map<string, number>([['pods', list.length]]);
  const nonZero = { cpu: 0, memory: 0 };
  for (const pod of list) {
    const amounts = podAmounts(pod);
    for (const [resource, amount] of amounts.requests) requested.set(resource, (requested.get(resource) ?? 0) + amount);
    nonZero.cpu += amounts.nonZero.cpu;
    nonZero.memory += amounts.nonZero.memory;
  }
  return {
    name: node.metadata.name ?? '',
    node,
    pods: list,
    podsWithAntiAffinity: list.filter(
      (pod) => (pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0,
    ),
    allocatable: resourceAmounts(node.status?.allocatable),
    requested,
    nonZeroRequested: nonZero,
    imageSizes: imageSizes(node),
  };
}

function imageSizes(node: DeepReadonly<Node>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { names, sizeBytes } of node.status?.images ?? []) {
    for (const name of names ?? []) {
      const reference = findImageReference(name);
      sizes.set(reference ? formatImageReference(reference) : name, sizeBytes ?? 0);
    }
  }
  return sizes;
}

export const podKey = (pod: DeepReadonly<Pod>): string => formatKey(keyOf(pod));
