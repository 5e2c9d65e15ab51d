import type { PodTemplate } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const podTemplates = defineResource<PodTemplate>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'PodTemplate', plural: 'podtemplates' },
  definition: 'io.k8s.api.core.v1.PodTemplate',
  storagePrefix: 'podtemplates',
});
