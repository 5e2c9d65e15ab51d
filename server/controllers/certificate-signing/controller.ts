import { encodeBase64 } from '../../../api/base/base64.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { CertificateRequestError } from '../../../api/semantics/certificates/certificate-request.ts';
import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import type { CertificateSigningRequest } from '../../../api/types/certificates-v1.ts';
import type { CertificateAuthority } from '../runtime/certificate-authority.ts';
import { hasCondition, parseRequest } from '../runtime/certificate-requests.ts';
import { type Controller, defineController, done, TerminalError } from '../runtime/define-controller.ts';
import { rules } from './rbac.ts';
import { signers, validity } from './signers.ts';

/** Issues the certificates of approved requests to Kubernetes' own signers, all with the cluster's CA. */
export function createCertificateSigningController(authority: CertificateAuthority): Controller {
  return defineController({
    name: 'certificatesigningrequest-signing-controller',
    account: 'certificate-controller',
    for: certificateSigningRequests,
    rules,
    async reconcile(key, { lister, client, clock }) {
      const request = lister(certificateSigningRequests).find(key);
      if (request === undefined || request.status?.certificate) return done;
      if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return done;
      const { signerName, usages = [], expirationSeconds } = request.spec;
      const findProblem = signers.get(signerName ?? '');
      if (findProblem === undefined) return done;
      const write = async (status: CertificateSigningRequest['status'] & {}) => {
        const copy = mutableCopy<CertificateSigningRequest>(request);
        await ignoreNotFound(client(certificateSigningRequests).updateStatus({ ...copy, status: { ...copy.status, ...status } }));
      };
      const fail = async (problem: string) => {
        const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: problem } as const;
        const conditions = mutableCopy<NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>>(
          request.status?.conditions ?? [],
        );
        await write({ conditions: [...conditions, { ...failed, lastUpdateTime: formatTime(clock.nowMs()) }] });
        return done;
      };
      try {
        const wanted = parseRequest(request);
        const problem = findProblem(wanted, usages);
        if (problem !== undefined) return await fail(problem);
        const certificate = await authority.sign(wanted, { usages, ...validity(expirationSeconds, clock.nowMs()) });
        await write({ certificate: encodeBase64(new TextEncoder().encode(certificate)) });
        return done;
      } catch (error) {
        if (error instanceof CertificateRequestError || error instanceof TerminalError) return fail(error.message);
        throw error;
      }
    },
  });
}
