import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { approve, isPending, mayHaveApproved, parseRequest } from '../runtime/certificate-requests.ts';
import { type Controller, defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { kubeletClientProblem } from '../runtime/kubelet-certificates.ts';
import { rules } from './rbac.ts';

const signer = 'kubernetes.io/kube-apiserver-client-kubelet';
/** Rights may be granted after the request was made. */
const retrySeconds = 30;

/** Approves requests of kubelets for client certificates, where roles allow it: of new nodes (nodeclient), and of nodes for themselves (selfnodeclient). */
export function createCertificateApprovingController(): Controller {
  return defineController({
    name: 'certificatesigningrequest-approving-controller',
    account: 'certificate-controller',
    for: certificateSigningRequests,
    rules,
    async reconcile(key, { lister, client }) {
      const request = lister(certificateSigningRequests).find(key);
      if (request === undefined || !isPending(request) || request.spec.signerName !== signer) return done;
      const facts = parseRequest(request);
      if (kubeletClientProblem(facts, request.spec.usages ?? []) !== undefined) return done;
      if (request.spec.username === facts.commonName && (await mayHaveApproved(client, request, 'selfnodeclient'))) {
        await approve(client, request, 'Auto approving self kubelet client certificate after SubjectAccessReview.');
        return done;
      }
      if (await mayHaveApproved(client, request, 'nodeclient')) {
        await approve(client, request, 'Auto approving kubelet client certificate after SubjectAccessReview.');
        return done;
      }
      return requeueAfterSeconds(retrySeconds);
    },
  });
}
