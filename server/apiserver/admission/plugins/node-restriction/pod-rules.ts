import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../../api/base/equality.ts';
import { quote } from '../../../../../api/base/quote.ts';
import { nodes } from '../../../../../api/resources/core/v1/node.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import { notFound } from '../../../../../api/meta/status-errors.ts';
import { isMirrorPod } from '../../../../../api/semantics/pods/pod-phase.ts';
import type { Pod } from '../../../../../api/types/core-v1.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../../admission.ts';
import { newObject, oldObject } from '../../admission-request.ts';
import { findObject, getObject } from '../../read-object.ts';

export async function restrictPod(
  request: AdmissionRequest,
  nodeName: string,
  dependencies: AdmissionDependencies,
): Promise<string | undefined> {
  const { operation, subresource } = request;
  switch (subresource) {
    case '':
      if (operation === 'CREATE') return restrictCreate(request, nodeName, dependencies);
      if (operation !== 'DELETE')
        return `unexpected operation ${quote(operation)}, node ${quote(nodeName)} can only create and delete mirror pods`;
      return isBoundHere(oldObject(request, pods), nodeName)
        ? undefined
        : `node ${quote(nodeName)} can only delete pods with spec.nodeName set to itself`;
    case 'status':
      return operation === 'UPDATE' ? restrictStatus(request, nodeName) : `unexpected operation ${quote(operation)}`;
    case 'eviction': {
      if (operation !== 'CREATE') return `unexpected operation ${operation}`;
      const pod = await getPod(dependencies, request.namespace, request.name || (request.object?.metadata.name ?? ''));
      return isBoundHere(pod, nodeName) ? undefined : `node ${nodeName} can only evict pods with spec.nodeName set to itself`;
    }
    default:
      return `unexpected pod subresource ${quote(subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

/** Throws 404 in upstream's words, which name the resource in the singular. */
export async function getPod(dependencies: AdmissionDependencies, namespace: string, name: string): Promise<DeepReadonly<Pod>> {
  const pod = await findObject(dependencies, pods, { namespace, name });
  if (!pod) throw notFound({ group: '', resource: 'pod' }, name);
  return pod;
}

function isBoundHere(pod: DeepReadonly<Pod> | undefined, nodeName: string): boolean {
  return pod?.spec?.nodeName === nodeName;
}

async function restrictCreate(
  request: AdmissionRequest,
  nodeName: string,
  dependencies: AdmissionDependencies,
): Promise<string | undefined> {
  const pod: DeepReadonly<Pod> | undefined = newObject(request, pods);
  if (!pod) return 'unexpected type';
  const node = quote(nodeName);
  if (!isMirrorPod(pod))
    return `pod does not have ${quote('kubernetes.io/config.mirror')} annotation, node ${node} can only create mirror pods`;
  if (!isBoundHere(pod, nodeName)) return `node ${node} can only create pods with spec.nodeName set to itself`;
  const [owner, ...others] = pod.metadata.ownerReferences ?? [];
  if (others.length > 0) return `node ${node} can only create pods with a single owner reference set to itself`;
  if (!owner || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== nodeName) {
    return `node ${node} can only create pods with an owner reference set to itself`;
  }
  if (!owner.controller) return `node ${node} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node ${node} must not set blockOwnerDeletion on an owner reference`;
  const { uid } = (await getObject(dependencies, nodes, { namespace: '', name: nodeName })).metadata;
  if (owner.uid !== uid) return `node ${nodeName} UID mismatch: expected ${owner.uid} got ${uid}`;
  const used = findUsedObject(pod);
  return used === undefined ? undefined : `node ${node} can not create pods that reference ${used}`;
}

/** Finds an object that the Pod refers to: a node could read any object through a Pod that it creates itself. */
function findUsedObject({ spec }: DeepReadonly<Pod>): string | undefined {
  if (!spec) return undefined;
  if (spec.serviceAccountName) return 'a service account';
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const volumes = spec.volumes ?? [];
  const variables = containers.flatMap(({ env }) => env ?? []);
  const sources = containers.flatMap(({ envFrom }) => envFrom ?? []);
  const projections = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const hasSecrets =
    (spec.imagePullSecrets ?? []).length > 0 ||
    variables.some(({ valueFrom }) => valueFrom?.secretKeyRef) ||
    sources.some(({ secretRef }) => secretRef) ||
    projections.some(({ secret }) => secret) ||
    volumes.some(namesSecret);
  if (hasSecrets) return 'secrets';
  const hasConfigMaps =
    variables.some(({ valueFrom }) => valueFrom?.configMapKeyRef) ||
    sources.some(({ configMapRef }) => configMapRef) ||
    projections.some(({ configMap }) => configMap) ||
    volumes.some(({ configMap }) => configMap);
  if (hasConfigMaps) return 'configmaps';
  if (projections.some(({ clusterTrustBundle }) => clusterTrustBundle)) return 'clustertrustbundles';
  if (volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim)) return 'persistentvolumeclaims';
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  return undefined;
}

const secretFields = ['cephfs', 'cinder', 'flexVolume', 'rbd', 'scaleIO', 'iscsi', 'storageos'] as const;

function namesSecret(volume: DeepReadonly<NonNullable<NonNullable<Pod['spec']>['volumes']>[number]>): boolean {
  return Boolean(
    volume.secret || volume.azureFile || volume.csi?.nodePublishSecretRef || secretFields.some((field) => volume[field]?.secretRef),
  );
}

function restrictStatus(request: AdmissionRequest, nodeName: string): string | undefined {
  const pod: DeepReadonly<Pod> | undefined = newObject(request, pods, 'status');
  const old = oldObject(request, pods);
  const node = quote(nodeName);
  if (!isBoundHere(old, nodeName)) return `node ${node} can only update pod status for pods with spec.nodeName set to itself`;
  if (!isSemanticallyEqual(pod?.metadata.labels ?? {}, old?.metadata.labels ?? {}))
    return `node ${node} cannot update labels through pod status`;
  if (!isSemanticallyEqual(pod?.status?.resourceClaimStatuses, old?.status?.resourceClaimStatuses))
    return `node ${node} cannot update resource claim statues`;
  return undefined;
}
