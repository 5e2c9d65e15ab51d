import { decodeBase64 } from '../../../api/base/base64.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { mutableCopy } from '../../../api/base/mutable-copy.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { subjectAccessReviews } from '../../../api/resources/authorization/v1/subject-access-review.ts';
import { certificateSigningRequests } from '../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { type CertificateRequest, parseCertificateRequest } from '../../../api/semantics/certificates/certificate-request.ts';
import type { CertificateSigningRequest } from '../../../api/types/certificates-v1.ts';
import { terminal } from './define-controller.ts';

type Request = DeepReadonly<CertificateSigningRequest>;

export function hasCondition({ status }: Request, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
}

/** Parses the PKCS #10 request. Throws a terminal error if it is not one, or must not be signed. */
export function parseRequest({ spec }: Request): CertificateRequest {
  try {
    return parseCertificateRequest(new TextDecoder().decode(decodeBase64(spec.request)));
  } catch (error) {
    throw terminal(error);
  }
}

/** Whether there is something to approve: no decision has been made. */
export function isPending(request: Request): boolean {
  const decided = (request.status?.conditions ?? []).some(({ type }) => type === 'Approved' || type === 'Denied');
  return !decided && !request.status?.certificate;
}

export async function approve(client: Client, request: Request, message: string): Promise<void> {
  const copy = mutableCopy<CertificateSigningRequest>(request);
  const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message } as const;
  const body = { ...copy, status: { ...copy.status, conditions: [...(copy.status?.conditions ?? []), approved] } };
  await ignoreNotFound(client(certificateSigningRequests).updateSubresource(keyOf(request), 'approval', body));
}

/** Whether who asked may have requests of this kind approved without a person: `create` of certificatesigningrequests/<kind>. */
export async function mayHaveApproved(client: Client, { spec }: Request, kind: string): Promise<boolean> {
  const { username = '', uid, groups, extra } = spec;
  const review = await client(subjectAccessReviews).create({
    metadata: {},
    spec: {
      user: username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups: [...groups] }),
      ...(extra === undefined ? {} : { extra: mutableCopy<Record<string, string[]>>(extra) }),
      resourceAttributes: {
        group: 'certificates.k8s.io',
        resource: 'certificatesigningrequests',
        subresource: kind,
        verb: 'create',
        version: '*',
      },
    },
  });
  return review.status?.allowed === true;
}
