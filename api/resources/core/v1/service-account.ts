import type { ServiceAccount } from '../../../types/core-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const serviceAccounts = defineResource<ServiceAccount>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ServiceAccount', plural: 'serviceaccounts', shortNames: ['sa'] },
  definition: 'io.k8s.api.core.v1.ServiceAccount',
  subresources: {
    token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  },
  storagePrefix: 'serviceaccounts',
});
