import type { NetworkPolicy } from '../../types/networking-v1.ts';
import type { ConditionalDefaults } from './conditional-default.ts';

function defaultNetworkPolicy({ spec }: NetworkPolicy): void {
  if (spec && !spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
}

export const networkingDefaults: ConditionalDefaults = [['io.k8s.api.networking.v1.NetworkPolicy', defaultNetworkPolicy]];
