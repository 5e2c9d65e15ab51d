import { decodeBase64 } from '../../../../api/base/base64.ts';
import { certificateSigningRequests } from '../../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { CertificateRequestError, parseCertificateRequest } from '../../../../api/semantics/certificates/certificate-request.ts';
import { systemMasters } from '../../authentication/well-known.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, refuse } from '../admission-request.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';

/** Refuses client certificates that make their holder a member of system:masters. */
export const certificateSubjectRestriction = defineAdmissionPlugin({
  name: 'CertificateSubjectRestriction',
  operations: ['CREATE'],
  resources: [certificateSigningRequests],
  async validate(request) {
    const spec = newObject(request, certificateSigningRequests)?.spec;
    if (spec?.signerName !== clientSigner) return;
    const organizations = organizationsOf(spec.request, (problem) => refuse(request, `unable to parse csr: ${problem}`));
    if (organizations.includes(systemMasters))
      throw refuse(request, `use of ${clientSigner} signer with ${systemMasters} group is not allowed`);
  },
});

function organizationsOf(base64: string, refusal: (problem: string) => Error): readonly string[] {
  try {
    return parseCertificateRequest(new TextDecoder().decode(decodeBase64(base64))).organizations;
  } catch (error) {
    if (error instanceof CertificateRequestError) throw refusal(error.message);
    throw error;
  }
}
