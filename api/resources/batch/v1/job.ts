import type { Job } from '../../../types/batch-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const jobs = defineResource<Job>({
  group: 'batch',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Job', plural: 'jobs', categories: ['all'] },
  definition: 'io.k8s.api.batch.v1.Job',
  subresources: {
    status: { kind: 'Job', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'jobs',
  hasGeneration: true,
});
