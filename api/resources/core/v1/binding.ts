import type { Binding } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const bindings = defineResource<Binding>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Binding', plural: 'bindings' },
  definition: 'io.k8s.api.core.v1.Binding',
  verbs: ['create'],
});
