import type { ConfigMap } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const configMaps = defineResource<ConfigMap>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'] },
  definition: 'io.k8s.api.core.v1.ConfigMap',
  storagePrefix: 'configmaps',
});
