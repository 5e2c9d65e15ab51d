import { nodes } from '../../../api/resources/core/v1/node.ts';
import { serviceCIDRs } from '../../../api/resources/networking/v1/service-cidr.ts';
import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { approve, isPending, mayHaveApproved, parseRequest } from '../runtime/certificate-requests.ts';
import { type Controller, defineController, done, requeueAfterSeconds } from '../runtime/define-controller.ts';
import { kubeletServingProblem } from '../runtime/kubelet-certificates.ts';
import { findForeignName, findReservedName, type ReservedNames } from './names-of-node.ts';
import { rules } from './rbac.ts';

const signer = 'kubernetes.io/kubelet-serving';
/** The Node may not have its addresses yet. */
const retrySeconds = 2;

/**
 * Approves requests of nodes for the certificates that their kubelets serve with. Upstream leaves this to the
 * administrator, and without it logs and exec do not work on a node that has joined; here a node gets what it asks for if it
 * asks for itself (requestor and subject are that node), only for names and addresses that its Node states and no other
 * does, never for those of the API server, of Services, of Pods or of the machine itself, and if roles allow it (create
 * certificatesigningrequests/selfnodeserver: ClusterRoleBinding kubets:node-autoapprove-serving). All else waits for a person.
 */
export function createKubeletServingApprovingController(reserved: ReservedNames): Controller {
  return defineController({
    name: 'kubelet-serving-approving-controller',
    account: 'kubelet-serving-approver',
    for: certificateSigningRequests,
    reads: [nodes, serviceCIDRs],
    rules,
    async reconcile(key, { lister, client, logger }) {
      const request = lister(certificateSigningRequests).find(key);
      if (request === undefined || !isPending(request) || request.spec.signerName !== signer) return done;
      const facts = parseRequest(request);
      if (kubeletServingProblem(facts, request.spec.usages ?? []) !== undefined) return done;
      if (request.spec.username !== facts.commonName) return done;
      const serviceRanges = lister(serviceCIDRs)
        .list()
        .flatMap(({ spec }) => spec?.cidrs ?? []);
      const forbidden = findReservedName(facts, { ...reserved, ranges: [...reserved.ranges, ...serviceRanges] });
      if (forbidden !== undefined) {
        logger.warn('a node asks for a serving certificate that is not its to have', { request: key.name, name: forbidden });
        return done;
      }
      const name = facts.commonName.slice('system:node:'.length);
      const node = lister(nodes).find({ namespace: '', name });
      const foreign = node === undefined ? name : findForeignName(facts, node, lister(nodes).list());
      if (node === undefined || foreign !== undefined) {
        logger.debug('a serving certificate is not approved', { request: key.name, foreign });
        return requeueAfterSeconds(retrySeconds);
      }
      if (!(await mayHaveApproved(client, request, 'selfnodeserver'))) return requeueAfterSeconds(30);
      await approve(client, request, 'Auto approving self kubelet serving certificate after SubjectAccessReview.');
      return done;
    },
  });
}
