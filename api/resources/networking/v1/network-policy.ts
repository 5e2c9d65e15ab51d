import type { NetworkPolicy } from '../../../types/networking-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const networkPolicies = defineResource<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'NetworkPolicy', plural: 'networkpolicies', shortNames: ['netpol'] },
  definition: 'io.k8s.api.networking.v1.NetworkPolicy',
  storagePrefix: 'networkpolicies',
  hasGeneration: true,
});
