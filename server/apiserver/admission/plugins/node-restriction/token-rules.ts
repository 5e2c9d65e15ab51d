import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { quote } from '../../../../../api/base/quote.ts';
import { persistentVolumeClaims } from '../../../../../api/resources/core/v1/persistent-volume-claim.ts';
import { persistentVolumes } from '../../../../../api/resources/core/v1/persistent-volume.ts';
import { csiDrivers } from '../../../../../api/resources/storage/v1/csi-driver.ts';
import type { TokenRequest } from '../../../../../api/types/authentication-v1.ts';
import type { Pod } from '../../../../../api/types/core-v1.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../../admission.ts';
import { findObject } from '../../read-object.ts';
import { getPod } from './pod-rules.ts';

/** A node gets tokens only for Pods that run on it (KEP-1205), and only for audiences that the Pod asks for (KEP-4935). */
export async function restrictToken(
  request: AdmissionRequest,
  nodeName: string,
  dependencies: AdmissionDependencies,
): Promise<string | undefined> {
  if (request.operation !== 'CREATE' || request.subresource !== 'token') return undefined;
  const spec = (request.object as DeepReadonly<TokenRequest> | undefined)?.spec;
  const bound = spec?.boundObjectRef;
  if (!bound || bound.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name) return 'node requested token not bound to a pod';
  if (!bound.uid) return 'node requested token with a pod binding without a uid';
  const pod = await getPod(dependencies, request.namespace, bound.name);
  if (bound.uid !== pod.metadata.uid) {
    return `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== nodeName) return 'node requested token bound to a pod scheduled on a different node';
  const [audience = '', ...others] = spec.audiences ?? [];
  if (others.length > 0) return 'node may only request 0 or 1 audiences';
  if (audience === '' || projectedAudiences(pod).includes(audience)) return undefined;
  if (await isDriverAudience(pod, audience, dependencies)) return undefined;
  if (await isGranted(request, audience, dependencies)) return undefined;
  return `audience ${quote(audience)} not found in pod spec volume`;
}

function projectedAudiences({ spec }: DeepReadonly<Pod>): string[] {
  return (spec?.volumes ?? []).flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }) => serviceAccountToken?.audience ?? []),
  );
}

async function isDriverAudience(pod: DeepReadonly<Pod>, audience: string, dependencies: AdmissionDependencies): Promise<boolean> {
  for (const name of await driversOf(pod, dependencies)) {
    const driver = await findObject(dependencies, csiDrivers, { namespace: '', name });
    if (driver?.spec?.tokenRequests?.some((wanted) => wanted.audience === audience)) return true;
  }
  return false;
}

async function driversOf({ metadata, spec }: DeepReadonly<Pod>, dependencies: AdmissionDependencies): Promise<string[]> {
  const drivers: string[] = [];
  const namespace = metadata.namespace ?? '';
  for (const volume of spec?.volumes ?? []) {
    if (volume.csi) drivers.push(volume.csi.driver);
    const claimName = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${metadata.name}-${volume.name}` : undefined);
    if (claimName === undefined) continue;
    const claim = await findObject(dependencies, persistentVolumeClaims, { namespace, name: claimName });
    const name = claim?.spec?.volumeName;
    const found = name ? await findObject(dependencies, persistentVolumes, { namespace: '', name }) : undefined;
    if (found?.spec?.csi) drivers.push(found.spec.csi.driver);
  }
  return drivers;
}

/** Audiences may also be granted to nodes by RBAC. */
async function isGranted(
  { user, namespace, name }: AdmissionRequest,
  audience: string,
  { authorizer }: AdmissionDependencies,
): Promise<boolean> {
  const { decision } = await authorizer.authorize({
    user,
    verb: 'request-serviceaccounts-token-audience',
    isResourceRequest: true,
    namespace,
    apiGroup: '',
    apiVersion: 'v1',
    resource: audience,
    subresource: '',
    name,
    path: '',
  });
  return decision === 'Allow';
}
