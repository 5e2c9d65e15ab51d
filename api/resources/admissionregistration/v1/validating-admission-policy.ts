import type { ValidatingAdmissionPolicy } from '../../../types/admissionregistration-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  subresources: {
    status: { kind: 'ValidatingAdmissionPolicy', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'validatingadmissionpolicies',
  hasGeneration: true,
});
