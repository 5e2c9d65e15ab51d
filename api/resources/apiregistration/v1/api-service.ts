import type { APIService } from '../../../types/apiregistration-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { nameIsPathSegment } from '../../../validation/names.ts';

export const apiServices = defineResource<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'APIService', plural: 'apiservices', categories: ['api-extensions'] },
  definition: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  nameRule: nameIsPathSegment,
  subresources: {
    status: { kind: 'APIService', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  hasGeneration: true,
});
