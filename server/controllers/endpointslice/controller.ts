import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/event-recorder.ts';
import { formatKey, type ObjectKey } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { type ControllerSetup, defineController, done, type ReconcileResult, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { applySlices } from '../runtime/endpoint-slices/apply-slices.ts';
import { followSlices } from '../runtime/endpoint-slices/follow-slices.ts';
import { type AddressType, planSlices } from '../runtime/endpoint-slices/slice-plan.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { podsOfService, watchingPodsOfServices } from '../runtime/service-pods.ts';
import { WriteTracker } from '../runtime/write-tracker.ts';
import { desiredEndpoints, managedBy, sliceOwnerOf } from './desired-endpoints.ts';
import { rules } from './rbac.ts';
import { TriggerTimes } from './trigger-times.ts';

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
    return (key) => reconcile({ setup, tracker, triggerTimes, slicesOf }, key);
  },
});

interface Parts {
  readonly setup: ControllerSetup;
  readonly tracker: WriteTracker<EndpointSlice>;
  readonly triggerTimes: TriggerTimes;
  readonly slicesOf: ReturnType<typeof followSlices>;
}

async function reconcile({ setup, tracker, triggerTimes, slicesOf }: Parts, key: ObjectKey): Promise<ReconcileResult> {
  const id = formatKey(key);
  const service = setup.lister(services).find(key);
  if (service === undefined) {
    // Its slices are collected as its dependents.
    tracker.forget(id);
    triggerTimes.forget(id);
    return done;
  }
  if (service.spec?.selector === undefined || service.spec.type === 'ExternalName') return done;
  if (service.metadata.deletionTimestamp !== undefined) return done;
  // The event that is outstanding brings the key back; the time is for the case that it was lost.
  if (!tracker.isCurrent(id)) return requeueAfterSeconds(30);

  const existing = slicesOf(key);
  const selected = podsOfService(service, setup);
  const zoneOf = (name: string) => setup.lister(nodes).find({ namespace: '', name })?.metadata.labels?.['topology.kubernetes.io/zone'];
  const triggerMs = triggerTimes.next(id, service, selected);
  const owner = { ...sliceOwnerOf(service), triggerTime: triggerMs === undefined ? null : formatTime(triggerMs) };
  const families = (service.spec.ipFamilies ?? ['IPv4']) as readonly AddressType[];
  try {
    for (const family of families) {
      const groups = desiredEndpoints(service, selected, family, zoneOf);
      const own = existing.filter((slice) => slice.addressType === family);
      await applySlices(setup, tracker, id, planSlices(owner, family, groups, own));
    }
    const foreign = existing.filter((slice) => !families.includes(slice.addressType as AddressType));
    await applySlices(setup, tracker, id, { create: [], update: [], delete: foreign });
  } catch (error) {
    if (isNamespaceTerminating(error)) return done;
    report(setup, service, error);
    throw error;
  }
  return done;
}

function report({ events }: ControllerSetup, service: DeepReadonly<Service>, error: unknown): void {
  const { namespace, name } = service.metadata;
  const message = `Error updating Endpoint Slices for Service ${namespace}/${name}: ${messageOf(error)}`;
  events.event(referenceTo(services, service), 'Warning', 'FailedToUpdateEndpointSlices', message);
}
