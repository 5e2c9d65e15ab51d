import { ageColumn, nameColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { ResourceClaimTemplate } from '../../../types/resource-v1.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateAnnotations, validateLabels } from '../../../validation/labels.ts';
import { validateClaimSpec } from './claim-validation.ts';

/** A claim for each Pod that names it. */
export const resourceClaimTemplates = defineResource<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ResourceClaimTemplate', plural: 'resourceclaimtemplates' },
  definition: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
  storagePrefix: 'resourceclaimtemplates',
  formerVersions: ['v1beta2'],
  printerColumns: [nameColumn, ageColumn],
  validate: ({ spec }, path) => [
    ...validateLabels(spec?.metadata?.labels, path.child('spec', 'metadata', 'labels')),
    ...validateAnnotations(spec?.metadata?.annotations, path.child('spec', 'metadata', 'annotations')),
    ...validateClaimSpec(spec?.spec, path.child('spec', 'spec')),
  ],
  validateUpdate: ({ spec }, old, path) => validateImmutable(path.child('spec'), spec, old.spec),
});
