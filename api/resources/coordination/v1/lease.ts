import type { Lease } from '../../../types/coordination-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const leases = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'Lease', plural: 'leases' },
  definition: 'io.k8s.api.coordination.v1.Lease',
  storagePrefix: 'leases',
  allowCreateOnUpdate: true,
});
