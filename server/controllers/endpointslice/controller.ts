import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { referenceTo } from '../../../api/client/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatKey, keyOf, type ObjectKey } from '../../../api/meta/object.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { Service } from '../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { type ControllerSetup, defineController, done, type ReconcileResult, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { isNamespaceTerminating, messageOf } from '../runtime/pod-control.ts';
import { podsOfService, watchingPodsOfServices } from '../runtime/service-pods.ts';
import { WriteTracker } from '../runtime/write-tracker.ts';
import { type AddressType, desiredEndpoints } from './desired-endpoints.ts';
import { rules } from './rbac.ts';
import { managedBy, managedByLabel, planSlices, serviceNameLabel, type SlicePlan } from './slice-plan.ts';

const byService = 'service';

/** Keeps the EndpointSlices of Services with a selector: which Pods answer for them, at which addresses and ports. */
export const endpointSliceController = defineController({
  name: 'endpointslice-controller',
  account: 'endpointslice-controller',
  component: 'endpoint-slice-controller',
  for: services,
  reads: [nodes, pods],
  watches: [watchingPodsOfServices()],
  rules,
  setUp(setup) {
    const slices = setup.informer(endpointSlices);
    const tracker = new WriteTracker<EndpointSlice>(setup.clock, slices.lister);
    slices.addIndex(byService, (slice) => {
      const owner = serviceKey(slice);
      return owner === undefined ? [] : [formatKey(owner)];
    });
    const follow = (slice: DeepReadonly<EndpointSlice>) => {
      const owner = serviceKey(slice);
      if (owner !== undefined) setup.enqueue(owner);
    };
    slices.addHandler({
      onAdd: follow,
      onDelete: follow,
      onUpdate(slice, old) {
        follow(old);
        follow(slice);
      },
    });
    return (key) => reconcile(setup, tracker, key);
  },
});

/** The Service of a slice that this controller manages. */
function serviceKey({ metadata }: DeepReadonly<EndpointSlice>): ObjectKey | undefined {
  const name = metadata.labels?.[serviceNameLabel];
  if (!name || metadata.labels?.[managedByLabel] !== managedBy) return undefined;
  return { namespace: metadata.namespace ?? '', name };
}

async function reconcile(setup: ControllerSetup, tracker: WriteTracker<EndpointSlice>, key: ObjectKey): Promise<ReconcileResult> {
  const id = formatKey(key);
  const service = setup.lister(services).find(key);
  if (service === undefined) {
    // Its slices are collected as its dependents.
    tracker.forget(id);
    return done;
  }
  if (service.spec?.selector === undefined || service.spec.type === 'ExternalName') return done;
  if (service.metadata.deletionTimestamp !== undefined) return done;
  // The event that is outstanding brings the key back; the time is for the case that it was lost.
  if (!tracker.isCurrent(id)) return requeueAfterSeconds(30);

  const existing = setup
    .lister(endpointSlices)
    .byIndex(byService, id)
    .filter((slice) => slice.metadata.deletionTimestamp === undefined);
  const selected = podsOfService(service, setup);
  const zoneOf = (name: string) => setup.lister(nodes).find({ namespace: '', name })?.metadata.labels?.['topology.kubernetes.io/zone'];
  const families = (service.spec.ipFamilies ?? ['IPv4']) as readonly AddressType[];
  try {
    for (const family of families) {
      const groups = desiredEndpoints(service, selected, family, zoneOf);
      const own = existing.filter((slice) => slice.addressType === family);
      await apply(setup, tracker, id, planSlices(service, family, groups, own));
    }
    const foreign = existing.filter((slice) => !families.includes(slice.addressType as AddressType));
    await apply(setup, tracker, id, { create: [], update: [], delete: foreign });
  } catch (error) {
    if (isNamespaceTerminating(error)) return done;
    report(setup, service, error);
    throw error;
  }
  return done;
}

async function apply(setup: ControllerSetup, tracker: WriteTracker<EndpointSlice>, id: string, plan: SlicePlan): Promise<void> {
  const client = setup.client(endpointSlices);
  for (const slice of plan.create) tracker.wrote(id, await client.create(slice));
  for (const slice of plan.update) {
    const written = await client.update(slice);
    // Nothing changed after all: no event will come.
    if (written.metadata.resourceVersion !== slice.metadata.resourceVersion) tracker.wrote(id, written);
  }
  for (const slice of plan.delete) {
    const answer = await ignoreNotFound(client.delete(keyOf(slice)));
    if (answer !== undefined) tracker.deleted(id, slice);
  }
}

function report({ events }: ControllerSetup, service: DeepReadonly<Service>, error: unknown): void {
  const { namespace, name } = service.metadata;
  const message = `Error updating Endpoint Slices for Service ${namespace}/${name}: ${messageOf(error)}`;
  events.event(referenceTo(services, service), 'Warning', 'FailedToUpdateEndpointSlices', message);
}
