import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { compareQuantities, quantityMilliValue, quantityOf, quantityValue } from '../../../api/base/quantity/arithmetic.ts';
import { matchesRequiredNodeAffinity } from '../../../api/semantics/nodes/node-selectors.ts';
import { hostPorts, hostPortsConflict } from '../../../api/semantics/pods/pod-ports.ts';
import { podRequests } from '../../../api/semantics/pods/pod-resources.ts';
import { addResources, isExtendedResource, parseResourceList, type ResourceAmounts } from '../../../api/semantics/pods/resource-list.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';

import { refuseSysctls } from './refuse-sysctls.ts';
import type { Refusal } from './refusal.ts';

/** The rules of the machine and its administrator that decide on a Pod's special requests. */
export interface MachineRules {
  readonly allowedUnsafeSysctls: readonly string[];
  readonly hasAppArmor: boolean;
}

/**
 * Whether the node can take a Pod that was bound to it: the scheduler may have decided on an older picture, and anyone may
 * name a node. Answers reason and message of the Pod's failure.
 */
export function admitPod(
  pod: DeepReadonly<Pod>,
  node: DeepReadonly<Node> | undefined,
  others: readonly DeepReadonly<Pod>[],
  rules: MachineRules,
): Refusal | undefined {
  const refusal =
    unsupported(pod, node, rules) ??
    refuseSysctls(pod, rules.allowedUnsafeSysctls) ??
    lacking(pod, node, others) ??
    unfitting(pod, node, others);
  return rejected(refusal);
}

/** Admits a Pod as admitPod does, but where resources are short, other Pods may be evicted for it. */
export function admitWithRoom(
  pod: DeepReadonly<Pod>,
  node: DeepReadonly<Node> | undefined,
  others: readonly DeepReadonly<Pod>[],
  rules: MachineRules,
): Refusal | undefined {
  return rejected(unsupported(pod, node, rules) ?? refuseSysctls(pod, rules.allowedUnsafeSysctls) ?? unfitting(pod, node, others));
}

function rejected(refusal: Refusal | undefined): Refusal | undefined {
  return refusal && { reason: refusal.reason, message: `Pod was rejected: ${refusal.message}` };
}

function unsupported(
  { spec }: DeepReadonly<Pod>,
  node: DeepReadonly<Node> | undefined,
  { hasAppArmor }: MachineRules,
): Refusal | undefined {
  if (spec?.os && spec.os.name !== 'linux') {
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  }
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const profiles = [spec?.securityContext?.appArmorProfile, ...containers.map(({ securityContext }) => securityContext?.appArmorProfile)];
  if (!hasAppArmor && profiles.some((profile) => profile && profile.type !== 'Unconfined')) {
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
  }
  if (spec?.securityContext?.supplementalGroupsPolicy === 'Strict' && node?.status?.features?.supplementalGroupsPolicy !== true) {
    const message = 'SupplementalGroupsPolicy=Strict is not supported in this node';
    return { reason: 'SupplementalGroupsPolicyNotSupported', message };
  }
  return undefined;
}

/** A resource of which the node has too little; of cpu in thousandths. */
interface Lack {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

function lacking(pod: DeepReadonly<Pod>, node: DeepReadonly<Node> | undefined, others: readonly DeepReadonly<Pod>[]): Refusal | undefined {
  const [lack] = findShortages(pod, node, others);
  if (!lack) return undefined;
  const { resource, requested, used, capacity } = lack;
  const amounts = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, ${amounts}` };
}

/** Requests of the Pod beyond the free resources. */
export function findShortages(pod: DeepReadonly<Pod>, node: DeepReadonly<Node> | undefined, others: readonly DeepReadonly<Pod>[]): Lack[] {
  const found: Lack[] = [];
  const allocatable = parseResourceList(node?.status?.allocatable);
  const maxPods = allocatable.get('pods');
  if (maxPods && others.length + 1 > quantityValue(maxPods)) {
    found.push({ resource: 'pods', requested: 1, used: others.length, capacity: quantityValue(maxPods) });
  }
  const used: ResourceAmounts = new Map();
  for (const other of others) addResources(used, podRequests(other));
  for (const [resource, requested] of podRequests(pod)) {
    // A resource that the node does not have is counted by the scheduler alone.
    if (isExtendedResource(resource) && !allocatable.has(resource)) continue;
    const total = new Map([[resource, requested]]);
    addResources(total, new Map([[resource, used.get(resource) ?? quantityOf(0)]]));
    const capacity = allocatable.get(resource) ?? quantityOf(0);
    if (!node || compareQuantities(requested, quantityOf(0)) === 0 || compareQuantities(total.get(resource) ?? requested, capacity) <= 0)
      continue;
    const shown = resource === 'cpu' ? quantityMilliValue : quantityValue;
    found.push({ resource, requested: shown(requested), used: shown(used.get(resource) ?? quantityOf(0)), capacity: shown(capacity) });
  }
  return found;
}

function unfitting(
  pod: DeepReadonly<Pod>,
  node: DeepReadonly<Node> | undefined,
  others: readonly DeepReadonly<Pod>[],
): Refusal | undefined {
  if (node && !matchesRequiredNodeAffinity(pod.spec, node)) {
    return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" };
  }
  const taken = others.flatMap(hostPorts);
  if (hostPorts(pod).some((port) => taken.some((other) => hostPortsConflict(port, other)))) {
    return { reason: 'NodePorts', message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" };
  }
  return undefined;
}
