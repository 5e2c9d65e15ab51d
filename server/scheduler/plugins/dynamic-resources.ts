import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { compileDeviceExpression } from '../../../api/semantics/devices/device-expressions.ts';
import { matchesNodeSelector } from '../../../api/semantics/nodes/node-selectors.ts';
import { findPodClaims, isReservedFor } from '../../../api/semantics/devices/resource-claims.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import type { ResourceClaim } from '../../../api/types/resource-v1.ts';
import { AllocationError, AllocationTimeout, type Allocator, createAllocator, type WaitingClaim } from '../devices/allocate-devices.ts';
import { wantedDevices } from '../devices/device-requests.ts';
import type { ClusterState } from '../framework/cluster-state.ts';
import { defineSchedulerPlugin, skip, unresolvable } from '../framework/framework.ts';

type Claim = DeepReadonly<ResourceClaim>;

const name = 'DynamicResources';
const notOnNode = 'resourceclaim not available on the node';

interface PodDevices {
  readonly claims: readonly Claim[];
  /** The claims of them that have no devices yet. */
  readonly waiting: readonly WaitingClaim[];
  readonly allocator: Allocator;
}

/** Keeps a pod off nodes that cannot reach the devices of its claims, and chooses devices for those that have none yet. */
export const dynamicResources = defineSchedulerPlugin({
  name,
  retryOn: ['ResourceClaimChange', 'ResourceSliceChange', 'DeviceClassChange', 'NodeAdd', 'NodeUpdate'],
  preEnqueue(pod, cluster) {
    if ((pod.spec?.resourceClaims ?? []).length === 0) return undefined;
    const found = findPodClaims(pod, cluster.findResourceClaim);
    return 'problem' in found ? unresolvable(found.problem) : undefined;
  },
  preFilter(state, pod, cluster) {
    const devices = lookAt(pod, cluster);
    if (devices === undefined) return { status: skip };
    if ('problem' in devices) return { status: unresolvable(devices.problem) };
    state.set(name, devices);
    return undefined;
  },
  filter(state, _pod, node) {
    const { claims, waiting, allocator } = state.get(name) as PodDevices;
    if (claims.some((claim) => !isAvailable(claim, node.node))) return unresolvable(notOnNode);
    if (waiting.length === 0) return undefined;
    try {
      return allocator.allocate(node.node) === undefined ? unresolvable('cannot allocate all claims') : undefined;
    } catch (error) {
      if (error instanceof AllocationTimeout) return unresolvable(error.message);
      if (error instanceof AllocationError) return { code: 'Error', reasons: [error.message] };
      throw error;
    }
  },
  postFilter(pod, failure, cluster) {
    const found = findPodClaims(pod, cluster.findResourceClaim);
    if ('problem' in found) return { message: 'still not schedulable' };
    if (found.claims.length === 0) return { message: 'no new claims to deallocate' };
    const refusing = cluster.nodes.filter((node) => failure.byNode.get(node.name)?.reasons.includes(notOnNode));
    const idle = found.claims.find(
      (claim) =>
        refusing.some(({ node }) => !isAvailable(claim, node)) &&
        (claim.status?.reservedFor ?? []).every(({ uid }) => uid === pod.metadata.uid),
    );
    return idle === undefined ? { message: 'still not schedulable' } : { message: 'deallocation of ResourceClaim completed', idle };
  },
  reserve(pod, node, cluster) {
    const devices = lookAt(pod, cluster);
    if (devices === undefined) return undefined;
    // The devices have just fitted there.
    if ('problem' in devices) throw new Error(devices.problem);
    const results = devices.waiting.length === 0 ? [] : devices.allocator.allocate(node.node);
    if (results === undefined) throw new Error('claim allocation not found for node');
    const claims = devices.claims.flatMap((claim) => {
      const allocation = results[devices.waiting.findIndex((one) => one.claim === claim)];
      if (allocation !== undefined) return [{ claim, allocation }];
      return isReservedFor(claim, pod) ? [] : [{ claim }];
    });
    return { kind: 'devices', claims };
  },
});

/** undefined: the pod has no claims. `problem`: it cannot be scheduled anywhere yet. */
function lookAt(pod: DeepReadonly<Pod>, cluster: ClusterState): PodDevices | { readonly problem: string } | undefined {
  if ((pod.spec?.resourceClaims ?? []).length === 0) return undefined;
  const found = findPodClaims(pod, cluster.findResourceClaim);
  if ('problem' in found) return found;
  const claims = [...new Set(found.claims)];
  if (claims.length === 0) return undefined;
  const waiting: WaitingClaim[] = [];
  for (const claim of claims) {
    if (claim.status?.allocation !== undefined) continue;
    const { namespace, name: claimName } = claim.metadata;
    if (cluster.isBeingAllocated(claim))
      return { problem: `resource claim ${namespace}/${claimName} is in the process of being allocated` };
    const asked = wantedDevices(claim, cluster.findDeviceClass);
    if ('problem' in asked) return asked;
    waiting.push({ claim, wanted: asked.wanted });
  }
  return {
    claims,
    waiting,
    allocator: createAllocator({
      claims: waiting,
      slices: cluster.devicePools(),
      taken: cluster.takenDevices,
      compile: compileDeviceExpression,
    }),
  };
}

function isAvailable({ status }: Claim, node: DeepReadonly<Node>): boolean {
  const selector = status?.allocation?.nodeSelector;
  return selector === undefined || matchesNodeSelector(selector, node);
}
