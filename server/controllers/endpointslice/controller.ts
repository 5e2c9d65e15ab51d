import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import { formatKey, keyOf, type ObjectKey, parseKey } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { Pod, Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { type ControllerSetup, defineController, done, type ReconcileResult, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { applySlices } from '../runtime/endpoint-slices/apply-slices.ts';
import { followSlices } from '../runtime/endpoint-slices/follow-slices.ts';
import { type AddressType, planSlices, type SliceOwner, type SlicePlan } from '../runtime/endpoint-slices/slice-plan.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { podsOfService, watchingPodsOfServices } from '../runtime/service-pods.ts';
import { WriteTracker } from '../runtime/write-tracker.ts';
import { desiredEndpoints, type FindNode, isStranded, managedBy, sliceOwnerOf } from './desired-endpoints.ts';
import { HintedServices } from './hinted-services.ts';
import { planHintedSlices } from './plan-hinted-slices.ts';
import { rules } from './rbac.ts';
import { hasTopologyHints } from './topology-hints.ts';
import { TriggerTimes } from './trigger-times.ts';
import { movesShares, zoneOf, zoneShares } from './zone-shares.ts';

/** Keeps the EndpointSlices of Services with a selector: which Pods answer for them, at which addresses and ports. */
export const endpointSliceController = defineController({
  name: 'endpointslice-controller',
  account: 'endpointslice-controller',
  component: 'endpoint-slice-controller',
  for: services,
  reads: [nodes, pods],
  watches: [watchingPodsOfServices()],
  spacing: 3,
  rules,
  setUp(setup) {
    const slicesOf = followSlices(setup, managedBy);
    const tracker = new WriteTracker<EndpointSlice>(setup.clock, setup.lister(endpointSlices));
    const triggerTimes = new TriggerTimes();
    const hinted = new HintedServices();
    followShares(setup, hinted);
    return (key) => reconcile({ setup, tracker, triggerTimes, hinted, slicesOf }, key);
  },
});

interface Parts {
  readonly setup: ControllerSetup;
  readonly tracker: WriteTracker<EndpointSlice>;
  readonly triggerTimes: TriggerTimes;
  readonly hinted: HintedServices;
  readonly slicesOf: ReturnType<typeof followSlices>;
}

/** Hints are made anew where a zone has become too large for its endpoints. */
function followShares(setup: ControllerSetup, hinted: HintedServices): void {
  const informer = setup.informer(nodes);
  const moved = () => {
    if (hinted.isEmpty()) return;
    const overloaded = hinted.overloaded(zoneShares(informer.lister.list()));
    for (const key of overloaded) setup.enqueue(parseKey(key));
  };
  informer.addHandler({
    onAdd: moved,
    onUpdate: (node, old) => movesShares(node, old) && moved(),
    onDelete: moved,
  });
}

async function reconcile(parts: Parts, key: ObjectKey): Promise<ReconcileResult> {
  const { setup, tracker, triggerTimes, hinted, slicesOf } = parts;
  const id = formatKey(key);
  const service = setup.lister(services).find(key);
  if (service === undefined) {
    // Its slices are collected as its dependents.
    tracker.forget(id);
    triggerTimes.forget(id);
    hinted.forget(id);
    return done;
  }
  if (service.spec?.selector === undefined || service.spec.type === 'ExternalName') return done;
  if (service.metadata.deletionTimestamp !== undefined) return done;
  // The event that is outstanding brings the key back; the time is for the case that it was lost.
  if (!tracker.isCurrent(id)) return requeueAfterSeconds(30);

  const existing = slicesOf(key);
  const selected = podsOfService(service, setup);
  const findNode: FindNode = (name) => {
    const node = setup.lister(nodes).find({ namespace: '', name });
    return node && { zone: zoneOf(node) };
  };
  const triggerMs = triggerTimes.next(id, service, selected);
  const owner = { ...sliceOwnerOf(service), triggerTime: triggerMs === undefined ? null : formatTime(triggerMs) };
  const families = (service.spec.ipFamilies ?? ['IPv4']) as readonly AddressType[];
  try {
    for (const family of families) {
      const groups = desiredEndpoints(service, selected, family, findNode);
      const own = existing.filter((slice) => slice.addressType === family);
      const { plan, events } = planFamily(parts, service, { owner, family, groups, existing: own });
      await applySlices(setup, tracker, id, plan);
      for (const { type, reason, message } of events) setup.events.event(referenceTo(services, service), type, reason, message);
    }
    const foreign = existing.filter((slice) => !families.includes(slice.addressType as AddressType));
    await applySlices(setup, tracker, id, { create: [], update: [], delete: foreign });
    for (const { addressType } of foreign) hinted.delete(id, addressType as AddressType);
    const stranded = selected.filter((pod) => isStranded(service, pod, findNode));
    if (stranded.length > 0) throw new Error(stranded.map((pod) => skipping(service, pod)).join(', '));
  } catch (error) {
    if (isNamespaceTerminating(error)) return done;
    report(setup, service, error);
    throw error;
  }
  return done;
}

interface FamilyPlan {
  readonly owner: SliceOwner;
  readonly family: AddressType;
  readonly groups: ReturnType<typeof desiredEndpoints>;
  readonly existing: readonly DeepReadonly<EndpointSlice>[];
}

interface HintEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Plans the slices of one address family, and the event about their hints. */
function planFamily(
  { setup, hinted }: Parts,
  service: DeepReadonly<Service>,
  { owner, family, groups, existing }: FamilyPlan,
): { readonly plan: SlicePlan; readonly events: readonly HintEvent[] } {
  const id = formatKey(keyOf(service));
  const wereHinted = hinted.has(id);
  const disabled = (why: string): HintEvent => {
    hinted.delete(id, family);
    return { type: 'Warning', reason: 'TopologyAwareHintsDisabled', message: `${why}, addressType: ${family}` };
  };
  if (!hasTopologyHints(service)) {
    const events = wereHinted ? [disabled('Topology Aware Hints has been disabled')] : [];
    hinted.delete(id, family);
    return { plan: planSlices(owner, family, groups, existing), events };
  }
  const { plan, hints } = planHintedSlices(owner, family, groups, existing, zoneShares(setup.lister(nodes).list()));
  if ('problem' in hints) return { plan, events: [disabled(hints.problem)] };
  hinted.set(id, family, hints.counts);
  const message = `Topology Aware Hints has been enabled, addressType: ${family}`;
  return { plan, events: wereHinted ? [] : [{ type: 'Normal', reason: 'TopologyAwareHintsEnabled', message }] };
}

function skipping({ metadata: { namespace, name } }: DeepReadonly<Service>, { metadata, spec }: DeepReadonly<Pod>): string {
  return `skipping Pod ${metadata.name} for Service ${namespace}/${name}: Node ${spec?.nodeName ?? ''} Not Found`;
}

function report({ events }: ControllerSetup, service: DeepReadonly<Service>, error: unknown): void {
  const { namespace, name } = service.metadata;
  const message = `Error updating Endpoint Slices for Service ${namespace}/${name}: ${messageOf(error)}`;
  events.event(referenceTo(services, service), 'Warning', 'FailedToUpdateEndpointSlices', message);
}
