import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import { mutableCopy } from '../../../../api/base/mutable-copy.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import type { OwnerReference } from '../../../../api/types/meta-v1.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';

export type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that have the same ports, and so may share slices. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** The owner of slices, and the fields that all of them carry. */
export interface SliceOwner {
  readonly namespace: string;
  /** The name of the Service. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent: those that are there are left alone. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** The time of the change as RFC 3339, written on every slice that is written; null removes it. Absent: the existing value stays. */
  readonly triggerTime?: string | null;
  readonly reference: OwnerReference;
  /** Whether there is to be an empty slice where there are no endpoints. */
  readonly keepsEmptySlice: boolean;
}

/** Equal for slices that carry the same ports, in whatever order. */
export function portsKey(ports: readonly DeepReadonly<EndpointPort>[]): string {
  const texts = ports.map(({ name, port, protocol, appProtocol }) => JSON.stringify([name, port, protocol, appProtocol]));
  return texts.sort().join();
}

const maxEndpointsPerSlice = 100;

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly DeepReadonly<EndpointSlice>[];
}

type Slice = DeepReadonly<EndpointSlice>;

/** A slice that is being planned; `from` is its present state, if it exists. */
interface Draft {
  readonly from: Slice | undefined;
  readonly ports: readonly DeepReadonly<EndpointPort>[];
  endpoints: Endpoint[];
  isChanged: boolean;
}

/**
 * Plans the fewest writes after which the slices of one address family hold exactly these endpoints, since every written slice is sent to
 * every node. Endpoints stay in their slice; new ones first fill slices that change anyhow.
 */
export function planSlices(
  owner: SliceOwner,
  addressType: AddressType,
  groups: ReadonlyMap<string, EndpointGroup>,
  existing: readonly Slice[],
): SlicePlan {
  const drafts: Draft[] = [];
  const unwanted = existing.filter((slice) => !groups.has(portsKey(slice.ports ?? [])));
  for (const [key, group] of groups) {
    const own = existing.filter((slice) => portsKey(slice.ports ?? []) === key);
    drafts.push(...fill(group, own));
  }
  const emptied = drafts.filter((draft) => draft.endpoints.length === 0);
  const kept = drafts.filter((draft) => draft.endpoints.length > 0);
  if (kept.length === 0 && owner.keepsEmptySlice) kept.push(placeholder(unwanted));

  const removable = [...unwanted, ...emptied.flatMap(({ from }) => (from === undefined ? [] : [from]))].filter(
    (slice) => !kept.some(({ from }) => from === slice),
  );
  const plan = { create: [] as EndpointSlice[], update: [] as EndpointSlice[], delete: removable };
  for (const draft of kept) {
    // A slice that would be deleted is written anew instead of creating another.
    const from = draft.from ?? plan.delete.shift();
    if (from === undefined) plan.create.push(build(owner, addressType, draft, undefined));
    else if (draft.isChanged || draft.from === undefined || hasOtherMetadata(from, owner)) {
      plan.update.push(build(owner, addressType, draft, from));
    }
  }
  return plan;
}

/** A Service without endpoints has one empty slice, so that clients can see that it has none. */
function placeholder(unwanted: readonly Slice[]): Draft {
  const from = unwanted.find((slice) => (slice.ports ?? []).length === 0 && (slice.endpoints ?? []).length === 0);
  return { from, ports: [], endpoints: [], isChanged: false };
}

function fill(group: EndpointGroup, own: readonly Slice[]): Draft[] {
  const waiting = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const drafts: Draft[] = own.map((from) => {
    const present = from.endpoints ?? [];
    const endpoints: Endpoint[] = [];
    let isChanged = false;
    for (const old of present) {
      const key = endpointKey(old);
      const wanted = waiting.get(key);
      if (wanted === undefined) {
        isChanged = true;
        continue;
      }
      waiting.delete(key);
      endpoints.push(wanted);
      isChanged ||= !isSemanticallyEqual(old, wanted);
    }
    return { from, ports: from.ports ?? [], endpoints, isChanged };
  });
  const rest = [...waiting.values()];
  const addTo = (draft: Draft) => {
    const room = Math.max(0, maxEndpointsPerSlice - draft.endpoints.length);
    if (room === 0 || rest.length === 0) return;
    draft.endpoints.push(...rest.splice(0, room));
    draft.isChanged = true;
  };
  for (const draft of drafts.filter(({ isChanged }) => isChanged)) addTo(draft);
  const fitting = drafts.filter((draft) => draft.endpoints.length + rest.length <= maxEndpointsPerSlice);
  const fullest = fitting.sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
  if (fullest !== undefined) addTo(fullest);
  while (rest.length > 0) {
    drafts.push({ from: undefined, ports: group.ports, endpoints: rest.splice(0, maxEndpointsPerSlice), isChanged: true });
  }
  return drafts;
}

/** The identity of an endpoint: its Pod and addresses, whatever its conditions. */
export function endpointKey(endpoint: DeepReadonly<Endpoint>): string {
  return [endpoint.targetRef?.uid, endpoint.targetRef?.name, ...endpoint.addresses].join();
}

function build(owner: SliceOwner, addressType: AddressType, draft: Draft, from: Slice | undefined): EndpointSlice {
  const { namespace, name } = owner;
  const metadata: EndpointSlice['metadata'] =
    from === undefined ? { generateName: generateName(name), namespace } : mutableCopy<EndpointSlice['metadata']>(from.metadata);
  metadata.labels = { ...owner.labels };
  if (owner.annotations !== undefined) metadata.annotations = { ...owner.annotations };
  if (owner.triggerTime !== undefined) metadata.annotations = withTriggerTime(metadata.annotations, owner.triggerTime);
  metadata.ownerReferences = [owner.reference];
  return { addressType, endpoints: draft.endpoints, metadata, ports: draft.ports.map((port) => ({ ...port })) };
}

function hasOtherMetadata({ metadata }: Slice, owner: SliceOwner): boolean {
  return (
    !isSemanticallyEqual(metadata.labels, owner.labels) ||
    (owner.annotations !== undefined && !isSemanticallyEqual({ ...metadata.annotations }, owner.annotations)) ||
    !isSemanticallyEqual(metadata.ownerReferences, [owner.reference])
  );
}

const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

function withTriggerTime(annotations: Readonly<Record<string, string>> | undefined, time: string | null): Record<string, string> {
  const { [triggerTimeAnnotation]: _, ...others } = annotations ?? {};
  return time === null ? others : { ...others, [triggerTimeAnnotation]: time };
}

/** Leaves room for the random part. */
function generateName(serviceName: string): string {
  return `${serviceName.slice(0, 252)}-`;
}
