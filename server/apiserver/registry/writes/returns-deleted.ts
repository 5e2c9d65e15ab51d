import { groupResource, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';

/** Kinds whose DELETE answers with the last state of the object; for all others it is a Status. So the API's documents say. */
const returned: ReadonlySet<string> = new Set([
  'csidrivers.storage.k8s.io',
  'csinodes.storage.k8s.io',
  'deviceclasses.resource.k8s.io',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourceclaims.resource.k8s.io',
  'resourceclaimtemplates.resource.k8s.io',
  'resourcequotas',
  'resourceslices.resource.k8s.io',
  'serviceaccounts',
  'services',
  'storageclasses.storage.k8s.io',
  'volumeattachments.storage.k8s.io',
  'volumeattributesclasses.storage.k8s.io',
]);

export function returnsDeleted(definition: ResourceDefinition): boolean {
  return returned.has(groupResource(definition));
}
