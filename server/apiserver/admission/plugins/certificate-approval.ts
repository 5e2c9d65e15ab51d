import { quote } from '../../../../api/base/quote.ts';
import { certificateSigningRequests } from '../../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject, refuse } from '../admission-request.ts';
import { maySign } from '../signer-permission.ts';

/** Checks that a user who approves or denies a request may do so for its signer. */
export const certificateApproval = defineAdmissionPlugin({
  name: 'CertificateApproval',
  operations: ['UPDATE'],
  resources: [certificateSigningRequests],
  async validate(request, { authorizer }) {
    if (!newObject(request, certificateSigningRequests, 'approval')) return;
    const signer = oldObject(request, certificateSigningRequests)?.spec?.signerName ?? '';
    if (await maySign(authorizer, request.user, 'approve', signer)) return;
    throw refuse(request, `user not permitted to approve requests with signerName ${quote(signer)}`);
  },
});
