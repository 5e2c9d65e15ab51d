import { quote } from '../../../../../api/base/quote.ts';
import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { decodeBase64 } from '../../../../../api/base/base64.ts';
import { certificateSigningRequests } from '../../../../../api/resources/certificates/v1/certificate-signing-request.ts';
import { leases } from '../../../../../api/resources/coordination/v1/lease.ts';
import { nodes } from '../../../../../api/resources/core/v1/node.ts';
import { persistentVolumeClaims } from '../../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../../../../api/resources/core/v1/service-account.ts';
import { resourceSlices } from '../../../../../api/resources/resource/v1/resource-slice.ts';
import { csiNodes } from '../../../../../api/resources/storage/v1/csi-node.ts';
import { CertificateRequestError, parseCertificateRequest } from '../../../../../api/semantics/certificates/certificate-request.ts';
import type { CertificateSigningRequest } from '../../../../../api/types/certificates-v1.ts';
import type { Lease } from '../../../../../api/types/coordination-v1.ts';
import type { ResourceSlice } from '../../../../../api/types/resource-v1.ts';
import { nodeNameOfUser, nodeUserPrefix } from '../../../authentication/well-known.ts';
import { type AdmissionDependencies, type AdmissionRequest, defineAdmissionPlugin } from '../../admission.ts';
import { isResource, refuse } from '../../admission-request.ts';
import { restrictClaimStatus } from './claim-rules.ts';
import { restrictNode } from './node-rules.ts';
import { restrictPod } from './pod-rules.ts';
import { restrictToken } from './token-rules.ts';

/** Kubelets may write only about themselves and about the Pods on their node (KEP-279). */
export const nodeRestriction = defineAdmissionPlugin({
  name: 'NodeRestriction',
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  async admit(request, dependencies) {
    const { user } = request;
    const nodeName = nodeNameOfUser(user);
    if (nodeName === undefined) return;
    if (nodeName === '') throw refuse(request, `could not determine node from user ${quote(user.name)}`);
    const problem = await findProblem(request, nodeName, dependencies);
    if (problem !== undefined) throw refuse(request, problem);
  },
});

/**
 * The reason why the node must not do that, which ends the message; undefined if it may. Throws NotFound for missing objects that the
 * request refers to.
 */
async function findProblem(request: AdmissionRequest, nodeName: string, dependencies: AdmissionDependencies): Promise<string | undefined> {
  if (isResource(request, pods)) return restrictPod(request, nodeName, dependencies);
  if (isResource(request, nodes)) return restrictNode(request, nodeName);
  if (isResource(request, persistentVolumeClaims)) {
    return request.subresource === 'status' ? restrictClaimStatus(request, nodeName) : 'may only update PVC status';
  }
  if (isResource(request, serviceAccounts)) return restrictToken(request, nodeName, dependencies);
  if (isResource(request, certificateSigningRequests)) return restrictCertificate(request, nodeName);
  if (isResource(request, leases)) return restrictLease(request, nodeName);
  if (isResource(request, csiNodes))
    return isOwnName(request, nodeName) ? undefined : 'can only access CSINode with the same name as the requesting node';
  if (isResource(request, resourceSlices)) return restrictSlice(request, nodeName);
  return undefined;
}

/** Restricts a node to its own slices. For existing slices the authorizer checks this too, but it follows changes with a delay. */
function restrictSlice({ operation, object, oldObject }: AdmissionRequest, nodeName: string): string | undefined {
  const slice = (operation === 'CREATE' ? object : oldObject) as DeepReadonly<ResourceSlice> | undefined;
  if (slice?.spec.nodeName === nodeName) return undefined;
  return `can only ${operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`;
}

const nodeSigners: ReadonlySet<string> = new Set(['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving']);

/** Restricts a node's certificate requests to its own name. */
function restrictCertificate({ operation, subresource, object }: AdmissionRequest, nodeName: string): string | undefined {
  const spec = (object as DeepReadonly<CertificateSigningRequest> | undefined)?.spec;
  if (operation !== 'CREATE' || subresource !== '' || !spec || !nodeSigners.has(spec.signerName)) return undefined;
  const name = `${nodeUserPrefix}${nodeName}`;
  try {
    const { commonName } = parseCertificateRequest(new TextDecoder().decode(decodeBase64(spec.request)));
    return commonName === name ? undefined : `can only create a node CSR with CN=${name}`;
  } catch (error) {
    if (error instanceof CertificateRequestError) return `unable to parse csr: ${error.message}`;
    throw error;
  }
}

function restrictLease(request: AdmissionRequest, nodeName: string): string | undefined {
  if (request.namespace !== 'kube-node-lease') return `can only access leases in the ${quote('kube-node-lease')} system namespace`;
  return isOwnName(request, nodeName) ? undefined : 'can only access node lease with the same name as the requesting node';
}

function isOwnName({ operation, name, object }: AdmissionRequest, nodeName: string): boolean {
  return (operation === 'CREATE' ? (object as DeepReadonly<Lease> | undefined)?.metadata.name : name) === nodeName;
}
