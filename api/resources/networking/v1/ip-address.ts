import type { IPAddress } from '../../../types/networking-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const ipAddresses = defineResource<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'IPAddress', plural: 'ipaddresses', shortNames: ['ip'] },
  definition: 'io.k8s.api.networking.v1.IPAddress',
  storagePrefix: 'ipaddresses',
  hasGeneration: true,
});
