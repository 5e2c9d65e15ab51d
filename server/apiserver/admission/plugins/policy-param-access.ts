import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { isSemanticallyEqual } from '../../../../api/base/equality.ts';
import { invalid } from '../../../../api/meta/status-errors.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { mutatingAdmissionPolicies } from '../../../../api/resources/admissionregistration/v1/mutating-admission-policy.ts';
import { mutatingAdmissionPolicyBindings } from '../../../../api/resources/admissionregistration/v1/mutating-admission-policy-binding.ts';
import { validatingAdmissionPolicies } from '../../../../api/resources/admissionregistration/v1/validating-admission-policy.ts';
import { validatingAdmissionPolicyBindings } from '../../../../api/resources/admissionregistration/v1/validating-admission-policy-binding.ts';
import type { ParamKind, ParamRef } from '../../../../api/types/admissionregistration-v1.ts';
import { forbidden } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { systemMasters } from '../../authentication/well-known.ts';
import { type AdmissionDependencies, type AdmissionPlugin, type AdmissionRequest, defineAdmissionPlugin } from '../admission.ts';
import { isResource } from '../admission-request.ts';
import { findObject } from '../read-object.ts';

const policies = [validatingAdmissionPolicies, mutatingAdmissionPolicies] as unknown as readonly ResourceDefinition[];
const bindings = [validatingAdmissionPolicyBindings, mutatingAdmissionPolicyBindings] as unknown as readonly ResourceDefinition[];

interface PolicySpec {
  readonly paramKind?: DeepReadonly<ParamKind>;
  readonly policyName?: string;
  readonly paramRef?: DeepReadonly<ParamRef>;
}

/**
 * Refuses policies and bindings whose author may not read their parameters, since a policy's messages can show their contents. (Not a
 * plugin upstream: part of the storage of policies.)
 */
export const policyParamAccess = defineAdmissionPlugin({
  name: 'PolicyParamAccess',
  operations: ['CREATE', 'UPDATE'],
  resources: [...policies, ...bindings] as NonNullable<AdmissionPlugin['resources']>,
  async validate(request, dependencies) {
    if (request.subresource !== '' || request.user.groups.includes(systemMasters)) return;
    const spec = specOf(request.object);
    const old = request.oldObject && specOf(request.oldObject);
    const isPolicy = policies.some((one) => isResource(request, one));
    if (isPolicy) {
      if (spec.paramKind === undefined || isSemanticallyEqual(spec.paramKind, old?.paramKind)) return;
      return checkPolicy(request, spec.paramKind, dependencies);
    }
    const { paramRef, policyName } = spec;
    if (paramRef === undefined || (isSemanticallyEqual(paramRef, old?.paramRef) && policyName === old?.policyName)) return;
    await checkBinding(request, paramRef, policyName ?? '', dependencies);
  },
});

function specOf(object: DeepReadonly<Record<string, unknown>> | undefined): PolicySpec {
  return (object?.['spec'] ?? {}) as PolicySpec;
}

/** The resource of a kind; every resource if the kind is not known. */
function resourceOf({ apiVersion = '', kind }: DeepReadonly<ParamKind>, { definitions }: Pick<AdmissionDependencies, 'definitions'>) {
  const found = definitions().find((one) => one.names.kind === kind && apiVersionOf(one) === apiVersion);
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return { isKnown: found !== undefined, apiGroup: group, apiVersion: version, resource: found?.names.plural ?? '*' };
}

type Asked = { readonly [field in 'verb' | 'namespace' | 'name' | 'apiGroup' | 'apiVersion' | 'resource']: string };

async function isAllowed({ user, signal }: AdmissionRequest, asked: Asked, { authorizer }: AdmissionDependencies): Promise<boolean> {
  const answer = await authorizer.authorize({ user, isResourceRequest: true, subresource: '', path: '', ...asked }, signal);
  return answer.decision === 'Allow';
}

async function checkPolicy(
  request: AdmissionRequest,
  paramKind: DeepReadonly<ParamKind>,
  dependencies: AdmissionDependencies,
): Promise<void> {
  const { isKnown: _, ...resource } = resourceOf(paramKind, dependencies);
  if (await isAllowed(request, { verb: 'get', namespace: '*', name: '*', ...resource }, dependencies)) return;
  const kind = `(kind=${paramKind.kind ?? ''}, apiVersion=${paramKind.apiVersion ?? ''})`;
  const right = `must have "get" permission on all objects of the referenced paramKind ${kind}`;
  throw refusal(request, 'paramKind', `user ${formatUser(request.user)} ${right}`);
}

async function checkBinding(
  request: AdmissionRequest,
  { name = '', namespace = '' }: DeepReadonly<ParamRef>,
  policyName: string,
  dependencies: AdmissionDependencies,
): Promise<void> {
  const verb = name === '' ? 'list' : 'get';
  const index = bindings.findIndex((one) => isResource(request, one));
  const owner = policies[index];
  const policy = owner && (await findObject(dependencies, owner, { namespace: '', name: policyName }));
  const { paramKind } = specOf(policy as unknown as DeepReadonly<Record<string, unknown>> | undefined);
  const everything = { isKnown: true, apiGroup: '*', apiVersion: '*', resource: '*' };
  const { isKnown, ...resource } = paramKind === undefined ? everything : resourceOf(paramKind, dependencies);
  if (await isAllowed(request, { verb, namespace, name, ...resource }, dependencies)) return;
  const user = formatUser(request.user);
  const all = `user ${user} does not have "${verb}" permission for all groups, versions and resources`;
  if (policy === undefined)
    throw refusal(request, 'paramRef', `unable to get policy ${policyName} to determine minimum required permissions and ${all}`);
  if (!isKnown) {
    const shown = `&ParamKind{APIVersion:${paramKind?.apiVersion ?? ''},Kind:${paramKind?.kind ?? ''},}`;
    throw refusal(request, 'paramRef', `unable to resolve paramKind ${shown} to determine minimum required permissions and ${all}`);
  }
  throw refusal(request, 'paramRef', `user ${user} does not have "${verb}" permission on the object referenced by paramRef`);
}

function refusal({ resource, name, object }: AdmissionRequest, field: string, message: string) {
  const { group, names } = resource;
  return invalid({ group, kind: names.kind }, name || (object?.metadata.name ?? ''), [
    forbidden(FieldPath.root.child('spec', field), message),
  ]);
}

/** A user as Go prints it. */
function formatUser({ name, uid = '', groups, extra = {} }: UserInfo): string {
  const more = Object.entries(extra).map(([key, values]) => `${key}:[${values.join(' ')}]`);
  return `&{${name} ${uid} [${groups.join(' ')}] map[${more.join(' ')}]}`;
}
