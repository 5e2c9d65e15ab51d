import type { EndpointSlice } from '../../../types/discovery-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const endpointSlices = defineResource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'EndpointSlice', plural: 'endpointslices' },
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  storagePrefix: 'endpointslices',
});
