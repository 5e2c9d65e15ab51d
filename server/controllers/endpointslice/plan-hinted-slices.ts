import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Endpoint, EndpointSlice } from '../../../api/types/discovery-v1.ts';
import {
  type AddressType,
  type EndpointGroup,
  endpointKey,
  planSlices,
  type SliceOwner,
  type SlicePlan,
} from '../runtime/endpoint-slices/slice-plan.ts';
import { planTopologyHints, type TopologyHints } from './topology-hints.ts';
import type { ZoneShares } from './zone-shares.ts';

/**
 * Like planSlices, with topology hints for the endpoints of the groups. Hints depend on the slices that are written, and may cause further
 * slices to be written; so slices are planned before and after the hints.
 */
export function planHintedSlices(
  owner: SliceOwner,
  addressType: AddressType,
  groups: ReadonlyMap<string, EndpointGroup>,
  existing: readonly DeepReadonly<EndpointSlice>[],
  shares: ZoneShares | undefined,
): { readonly plan: SlicePlan; readonly hints: TopologyHints } {
  const wanted = new Map([...groups.values()].flatMap(({ endpoints }) => endpoints.map((endpoint) => [endpointKey(endpoint), endpoint])));
  const wantedOf = (slice: DeepReadonly<EndpointSlice>) => (slice.endpoints ?? []).flatMap((one) => wanted.get(endpointKey(one)) ?? []);
  for (const present of existing.flatMap(({ endpoints }) => endpoints ?? [])) keepHints(wanted.get(endpointKey(present)), present);
  const before = planSlices(owner, addressType, groups, existing);
  const changing = new Set([...before.update, ...before.delete].map(({ metadata }) => metadata.name));
  const hints = planTopologyHints(
    [...before.create, ...before.update].map(wantedOf),
    existing.filter(({ metadata }) => !changing.has(metadata.name)).map(wantedOf),
    shares,
  );
  if ('problem' in hints) for (const endpoint of wanted.values()) delete endpoint.hints;
  else for (const [endpoint, zone] of hints.zones) endpoint.hints = { forZones: [{ name: zone }] };
  return { plan: planSlices(owner, addressType, groups, existing), hints };
}

function keepHints(endpoint: Endpoint | undefined, { hints }: DeepReadonly<Endpoint>): void {
  if (endpoint?.conditions?.ready !== true || hints?.forZones === undefined) return;
  endpoint.hints = { forZones: hints.forZones.map(({ name }) => ({ name })) };
}
