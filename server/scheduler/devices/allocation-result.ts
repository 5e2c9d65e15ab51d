import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { NodeSelector, NodeSelectorRequirement } from '../../../api/types/core-v1.ts';
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceToleration,
  OpaqueDeviceConfiguration,
  ResourceClaim,
} from '../../../api/types/resource-v1.ts';
import type { Placed } from './attribute-constraints.ts';
import { type Alternative, concernsRequest } from './device-requests.ts';

/** A device that was chosen, with the form of the request that was. */
export interface Chosen extends Placed {
  readonly alternative: Alternative;
}

/** The result that is written into the claim: devices, the drivers' parameters, and where Pods can use them. */
export function allocationResult(
  claim: DeepReadonly<ResourceClaim>,
  alternatives: readonly Alternative[],
  chosen: readonly Chosen[],
): AllocationResult {
  const config = configurationOf(claim, alternatives);
  const nodeSelector = nodeSelectorOf(chosen);
  return {
    devices: {
      results: chosen.map(({ request, found, alternative }) => ({
        request,
        driver: found.driver,
        pool: found.pool,
        device: found.device.name,
        ...(alternative.adminAccess ? { adminAccess: true } : {}),
        ...(alternative.tolerations.length > 0 ? { tolerations: mutableCopy<DeviceToleration[]>(alternative.tolerations) } : {}),
      })),
      ...(config.length === 0 ? {} : { config }),
    },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  };
}

/** The configuration: that of the classes first, so that the claim's own comes last and takes precedence. */
function configurationOf(claim: DeepReadonly<ResourceClaim>, alternatives: readonly Alternative[]): DeviceAllocationConfiguration[] {
  const config: DeviceAllocationConfiguration[] = [];
  for (const { deviceClass } of alternatives) {
    for (const { opaque } of deviceClass.spec.config ?? []) config.push({ source: 'FromClass', ...opaquePart(opaque) });
  }
  for (const { requests, opaque } of claim.spec.devices?.config ?? []) {
    if (!alternatives.some(({ name }) => concernsRequest(requests, name))) continue;
    config.push({ source: 'FromClaim', ...(requests === undefined ? {} : { requests: [...requests] }), ...opaquePart(opaque) });
  }
  return config;
}

function opaquePart(opaque: DeepReadonly<OpaqueDeviceConfiguration> | undefined): Pick<DeviceAllocationConfiguration, 'opaque'> {
  return opaque === undefined ? {} : { opaque: mutableCopy<OpaqueDeviceConfiguration>(opaque) };
}

/** Nodes that can reach all the devices; undefined: all nodes. */
function nodeSelectorOf(chosen: readonly Chosen[]): NodeSelector | undefined {
  const expressions: NodeSelectorRequirement[] = [];
  const fields: NodeSelectorRequirement[] = [];
  const add = (to: NodeSelectorRequirement[], requirements: readonly DeepReadonly<NodeSelectorRequirement>[] | undefined) => {
    for (const requirement of requirements ?? [])
      if (!to.some((one) => isEqual(one, requirement))) to.push(mutableCopy<NodeSelectorRequirement>(requirement));
  };
  for (const { nodeName, nodeSelector } of chosen.map(({ found }) => found.place)) {
    // Node-local devices tie the whole allocation to the node.
    if (nodeName !== undefined) {
      return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }] };
    }
    const [term] = nodeSelector?.nodeSelectorTerms ?? [];
    add(expressions, term?.matchExpressions);
    add(fields, term?.matchFields);
  }
  if (expressions.length + fields.length === 0) return undefined;
  return {
    nodeSelectorTerms: [
      {
        ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
        ...(fields.length === 0 ? {} : { matchFields: fields }),
      },
    ],
  };
}
