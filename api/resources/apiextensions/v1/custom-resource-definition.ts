import type { CustomResourceDefinition } from '../../../types/apiextensions-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const customResourceDefinitions = defineResource<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: {
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
  },
  definition: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  subresources: {
    status: { kind: 'CustomResourceDefinition', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  hasGeneration: true,
});
