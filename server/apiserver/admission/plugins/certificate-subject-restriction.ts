import { decodeBase64 } from '../../../../api/base/base64.ts';
import { certificateSigningRequests } from '../../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { systemMasters } from '../../authentication/well-known.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, refuse } from '../admission-request.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';

/** Nobody can have a client certificate signed that makes them a member of system:masters. */
export const certificateSubjectRestriction = defineAdmissionPlugin({
  name: 'CertificateSubjectRestriction',
  operations: ['CREATE'],
  resources: [certificateSigningRequests],
  async validate(request) {
    const spec = newObject(request, certificateSigningRequests)?.spec;
    if (spec?.signerName !== clientSigner) return;
    const organizations = await organizationsOf(spec.request).catch((error: unknown) => {
      throw refuse(request, `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (organizations.includes(systemMasters))
      throw refuse(request, `use of ${clientSigner} signer with ${systemMasters} group is not allowed`);
  },
});

async function organizationsOf(base64: string): Promise<readonly string[]> {
  await import('reflect-metadata');
  const { Pkcs10CertificateRequest } = await import('@peculiar/x509');
  const request = new Pkcs10CertificateRequest(new TextDecoder().decode(decodeBase64(base64)));
  return request.subjectName.getField('O');
}
