import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { invalid } from '../../../../api/meta/status-errors.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { resourceClaims } from '../../../../api/resources/resource/v1/resource-claim.ts';
import { resourceClaimTemplates } from '../../../../api/resources/resource/v1/resource-claim-template.ts';
import { adminAccessLabel, deviceID } from '../../../../api/semantics/devices/resource-claims.ts';
import type { ResourceClaim, ResourceClaimSpec } from '../../../../api/types/resource-v1.ts';
import { forbidden } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject } from '../admission-request.ts';
import { findObject } from '../read-object.ts';

/**
 * Claims look into devices of others only in namespaces that an administrator has labelled for it. (Not a plugin upstream:
 * part of its storage of claims, whose answer this is.)
 */
export const deviceAdminAccess = defineAdmissionPlugin({
  name: 'DeviceAdminAccess',
  operations: ['CREATE', 'UPDATE'],
  reads: [namespaces],
  async validate(request, dependencies) {
    const path = findAdminAccess(request);
    if (path === undefined) return;
    const namespace = await findObject(dependencies, namespaces, { namespace: '', name: request.namespace });
    if (namespace?.metadata.labels?.[adminAccessLabel] === 'true') return;
    const detail = `admin access to devices requires the \`${adminAccessLabel}: true\` label on the containing namespace`;
    throw invalid({ group: request.resource.group, kind: request.resource.names.kind }, request.name, [forbidden(path, detail)]);
  },
});

/** Where it is asked for, or given, for the first time: specs do not change. */
function findAdminAccess(request: AdmissionRequest): FieldPath | undefined {
  if (request.operation === 'UPDATE') {
    const claim: DeepReadonly<ResourceClaim> | undefined = newObject(request, resourceClaims, 'status');
    return claim && findNewAccess(claim, oldObject(request, resourceClaims));
  }
  return findRequest(newObject(request, resourceClaims)?.spec) ?? findRequest(newObject(request, resourceClaimTemplates)?.spec?.spec);
}

function findRequest(spec: DeepReadonly<ResourceClaimSpec> | undefined): FieldPath | undefined {
  const index = (spec?.devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
  return index < 0 ? undefined : FieldPath.root.child('spec', 'devices', 'requests').index(index).child('adminAccess');
}

function findNewAccess({ status }: DeepReadonly<ResourceClaim>, old: DeepReadonly<ResourceClaim> | undefined): FieldPath | undefined {
  const before = (old?.status?.allocation?.devices?.results ?? []).filter(({ adminAccess }) => adminAccess === true).map(deviceID);
  const index = (status?.allocation?.devices?.results ?? []).findIndex(
    (result) => result.adminAccess === true && !before.includes(deviceID(result)),
  );
  return index < 0 ? undefined : FieldPath.root.child('status', 'allocation', 'devices', 'results').index(index).child('adminAccess');
}
