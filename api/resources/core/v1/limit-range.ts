import type { LimitRange } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const limitRanges = defineResource<LimitRange>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'LimitRange', plural: 'limitranges', shortNames: ['limits'] },
  definition: 'io.k8s.api.core.v1.LimitRange',
  storagePrefix: 'limitranges',
  allowCreateOnUpdate: true,
});
