import type { CertificateSigningRequest } from '../../../types/certificates-v1.ts';
import { defineResource } from '../../../resource/define-resource.ts';

export const certificateSigningRequests = defineResource<CertificateSigningRequest>({
  group: 'certificates.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'CertificateSigningRequest', plural: 'certificatesigningrequests', shortNames: ['csr'] },
  definition: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  subresources: {
    approval: { kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] },
    status: { kind: 'CertificateSigningRequest', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'certificatesigningrequests',
  hasGeneration: true,
});
