import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../../api/meta/object.ts';
import { endpointSlices } from '../../../../api/resources/discovery/v1/endpoint-slice.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import type { ControllerSetup } from '../define-controller.ts';
import type { WriteTracker } from '../write-tracker.ts';
import type { SlicePlan } from './slice-plan.ts';

/** Performs a plan and registers its writes with the tracker. `owner` is the key of the slices' Service. */
export async function applySlices(
  setup: ControllerSetup,
  tracker: WriteTracker<EndpointSlice>,
  owner: string,
  plan: SlicePlan,
): Promise<void> {
  const client = setup.client(endpointSlices);
  for (const slice of plan.create) tracker.wrote(owner, await client.create(slice));
  for (const slice of plan.update) {
    const written = await client.update(slice);
    // Nothing changed after all: no event will come.
    if (written.metadata.resourceVersion !== slice.metadata.resourceVersion) tracker.wrote(owner, written);
  }
  for (const slice of plan.delete) {
    const answer = await ignoreNotFound(client.delete(keyOf(slice)));
    if (answer !== undefined) tracker.deleted(owner, slice);
  }
}
