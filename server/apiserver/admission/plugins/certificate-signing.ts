import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import { quote } from '../../../../api/base/quote.ts';
import { certificateSigningRequests } from '../../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject, refuse } from '../admission-request.ts';
import { maySign } from '../signer-permission.ts';

/** Checks that a user who issues a certificate, or reports that it failed, may do so for the request's signer. */
export const certificateSigning = defineAdmissionPlugin({
  name: 'CertificateSigning',
  operations: ['UPDATE'],
  resources: [certificateSigningRequests],
  async validate(request, { authorizer }) {
    const { status } = newObject(request, certificateSigningRequests, 'status') ?? {};
    const old = oldObject(request, certificateSigningRequests);
    if (request.subresource !== 'status' || !old || !newObject(request, certificateSigningRequests, 'status')) return;
    if (status?.certificate === old.status?.certificate && isSemanticallyEqual(status?.conditions, old.status?.conditions)) return;
    const signer = old.spec?.signerName ?? '';
    if (await maySign(authorizer, request.user, 'sign', signer)) return;
    throw refuse(request, `user not permitted to sign requests with signerName ${quote(signer)}`);
  },
});
