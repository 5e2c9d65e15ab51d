import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { findCondition } from '../../meta/conditions.ts';
import type { Node, NodeCondition } from '../../types/core-v1.ts';

export function findNodeCondition(node: DeepReadonly<Node>, type: string): DeepReadonly<NodeCondition> | undefined {
  return findCondition(node.status?.conditions, type);
}

export function isNodeReady(node: DeepReadonly<Node>): boolean {
  return findNodeCondition(node, 'Ready')?.status === 'True';
}

/** The first address of that type, e.g. InternalIP. */
export function findNodeAddress(node: DeepReadonly<Node>, type: string): string | undefined {
  return node.status?.addresses?.find((address) => address.type === type)?.address;
}

const roleLabelPrefix = 'node-role.kubernetes.io/';

/** Roles by label, sorted: what `kubectl get nodes` shows. */
export function nodeRoles(node: DeepReadonly<Node>): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(roleLabelPrefix) && key.length > roleLabelPrefix.length) roles.add(key.slice(roleLabelPrefix.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return [...roles].sort();
}
