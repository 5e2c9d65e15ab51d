import { keyOf, formatKey } from '../../../api/meta/object.ts';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice } from '../../../api/types/discovery-v1.ts';
import { defineController, done, requeueAfterSeconds, watching } from '../runtime/define-controller.ts';
import { applySlices } from '../runtime/endpoint-slices/apply-slices.ts';
import { followSlices } from '../runtime/endpoint-slices/follow-slices.ts';
import { planSlices } from '../runtime/endpoint-slices/slice-plan.ts';
import { isNamespaceTerminating } from '../runtime/pod-control.ts';
import { WriteTracker } from '../runtime/write-tracker.ts';
import { isMirrored, managedBy, mirroredEndpoints, mirrorOwnerOf } from './mirrored-endpoints.ts';
import { rules } from './rbac.ts';

/** Shows Endpoints that were made by hand as EndpointSlices, which is all that nodes and DNS look at (KEP-752). */
export const endpointSliceMirroringController = defineController({
  name: 'endpointslice-mirroring-controller',
  account: 'endpointslicemirroring-controller',
  component: 'endpoint-slice-mirroring-controller',
  for: endpoints,
  watches: [
    watching(
      services,
      (service) => [keyOf(service)],
      (service, old) => (service.spec?.selector === undefined) !== (old.spec?.selector === undefined),
    ),
  ],
  rules,
  setUp(setup) {
    const slicesOf = followSlices(setup, managedBy);
    const tracker = new WriteTracker<EndpointSlice>(setup.clock, setup.lister(endpointSlices));
    return async (key) => {
      const id = formatKey(key);
      const present = setup.lister(endpoints).find(key);
      if (!tracker.isCurrent(id)) return requeueAfterSeconds(30);
      const existing = slicesOf(key);
      if (present === undefined || !isMirrored(present, setup.lister(services).find(key))) {
        await applySlices(setup, tracker, id, { create: [], update: [], delete: existing });
        return done;
      }
      try {
        for (const family of ['IPv4', 'IPv6'] as const) {
          const own = existing.filter((slice) => slice.addressType === family);
          await applySlices(setup, tracker, id, planSlices(mirrorOwnerOf(present), family, mirroredEndpoints(present, family), own));
        }
      } catch (error) {
        if (!isNamespaceTerminating(error)) throw error;
      }
      return done;
    };
  },
});
