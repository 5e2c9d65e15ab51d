import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { toLabelMatcher } from '../../../../api/selectors/label-selector.ts';
import type { ParamKind, ParamRef } from '../../../../api/types/admissionregistration-v1.ts';
import type { AdmissionDependencies } from '../admission.ts';

type Dependencies = Pick<AdmissionDependencies, 'client' | 'lister' | 'definitions' | 'synced'>;

/** The error for a policy or a binding that cannot be used. Its failurePolicy decides on the request. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** The resource of a policy's paramKind; undefined: it takes no parameters. Throws ConfigurationError. */
export function findParamResource(
  kind: DeepReadonly<ParamKind> | undefined,
  { definitions }: Pick<Dependencies, 'definitions'>,
): ResourceDefinition | undefined {
  if (kind === undefined) return undefined;
  const { apiVersion = '', kind: name = '' } = kind;
  const found = definitions().find((one) => one.names.kind === name && apiVersionOf(one) === apiVersion && one.storagePrefix !== undefined);
  if (found) return found;
  const groupVersion = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${groupVersion}, Kind=${name}'`);
}

const syncTimeoutMs = 1000;

/**
 * The parameters that a binding selects for its policy; one undefined element if the binding has no paramRef. Empty: none were found, and
 * the binding allows that. @throws ConfigurationError
 */
export async function findParams(
  resource: ResourceDefinition | undefined,
  reference: DeepReadonly<ParamRef> | undefined,
  namespace: string,
  dependencies: Dependencies,
): Promise<readonly (DeepReadonly<KubeObject> | undefined)[]> {
  if (resource === undefined || reference === undefined) return [undefined];
  const params = await lookUp(resource, reference, placeOf(resource, reference, namespace), dependencies);
  if (params.length === 0 && reference.parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  return params;
}

/** The namespace of the parameters; '' for those of the cluster. */
function placeOf({ scope }: ResourceDefinition, reference: DeepReadonly<ParamRef>, namespace: string): string {
  if (scope === 'Cluster') {
    if (reference.namespace) throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
    return '';
  }
  const place = reference.namespace || namespace;
  if (place === '') throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  return place;
}

async function lookUp(
  resource: ResourceDefinition,
  { name, selector }: DeepReadonly<ParamRef>,
  namespace: string,
  dependencies: Dependencies,
): Promise<readonly DeepReadonly<KubeObject>[]> {
  const { client, lister } = dependencies;
  if (name) {
    const key = { namespace, name };
    const found = lister(resource).find(key) ?? (await ignoreNotFound(client(resource).get(key)));
    return found ? [found] : [];
  }
  if (selector === undefined) throw new ConfigurationError('one of name or selector must be provided');
  if (!(await dependencies.synced(resource, syncTimeoutMs)))
    throw new ConfigurationError(`paramKind kind \`${formatParamKind(resource)}\` not yet synced to use for admission`);
  const matcher = toLabelMatcher(selector);
  const inNamespace = namespace === '' ? {} : { namespace };
  return lister(resource).list({ ...inNamespace, matches: ({ metadata }) => matcher.matches(metadata.labels) });
}

function formatParamKind(resource: ResourceDefinition): string {
  return `&ParamKind{APIVersion:${apiVersionOf(resource)},Kind:${resource.names.kind},}`;
}

/** The variable `params`. Objects of informers may be without their kind. */
export function paramVariable(param: DeepReadonly<KubeObject> | undefined, resource: ResourceDefinition | undefined): unknown {
  if (param === undefined || resource === undefined || param.kind) return param;
  return { apiVersion: apiVersionOf(resource), kind: resource.names.kind, ...param };
}
