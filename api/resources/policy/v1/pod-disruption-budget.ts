import type { PodDisruptionBudget } from '../../../types/policy-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', shortNames: ['pdb'] },
  definition: 'io.k8s.api.policy.v1.PodDisruptionBudget',
  subresources: {
    status: { kind: 'PodDisruptionBudget', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'poddisruptionbudgets',
  hasGeneration: true,
});
