import type { CronJob } from '../../../types/batch-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const cronJobs = defineResource<CronJob>({
  group: 'batch',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'CronJob', plural: 'cronjobs', shortNames: ['cj'], categories: ['all'] },
  definition: 'io.k8s.api.batch.v1.CronJob',
  subresources: {
    status: { kind: 'CronJob', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'cronjobs',
  hasGeneration: true,
});
