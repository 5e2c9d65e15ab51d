import type { Secret } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const secrets = defineResource<Secret>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Secret', plural: 'secrets' },
  definition: 'io.k8s.api.core.v1.Secret',
  storagePrefix: 'secrets',
});
