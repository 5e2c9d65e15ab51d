import type { Endpoints } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const endpoints = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Endpoints', plural: 'endpoints', shortNames: ['ep'] },
  definition: 'io.k8s.api.core.v1.Endpoints',
  storagePrefix: 'services/endpoints',
  allowCreateOnUpdate: true,
});
