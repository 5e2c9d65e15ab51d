import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { formatKey, type ObjectKey } from '../../../../api/meta/object.ts';
import { endpointSlices } from '../../../../api/resources/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import type { ControllerSetup } from '../define-controller.ts';
import { managedByLabel, serviceNameLabel } from './slice-plan.ts';

/** Enqueues the Services whose slices change, and returns the function that finds the slices of a Service that `managedBy` manages. */
export function followSlices(setup: ControllerSetup, managedBy: string): (service: ObjectKey) => DeepReadonly<EndpointSlice>[] {
  const serviceKey = ({ metadata }: DeepReadonly<EndpointSlice>): ObjectKey | undefined => {
    const name = metadata.labels?.[serviceNameLabel];
    if (!name || metadata.labels?.[managedByLabel] !== managedBy) return undefined;
    return { namespace: metadata.namespace ?? '', name };
  };
  const slices = setup.informer(endpointSlices);
  const index = `service of ${managedBy}`;
  slices.addIndex(index, (slice) => {
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
  return (service) => slices.lister.byIndex(index, formatKey(service)).filter((slice) => slice.metadata.deletionTimestamp === undefined);
}
