import { badRequest, conflict, invalid, methodNotAllowed } from '../../../api/meta/status-errors.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { TokenRequest } from '../../../api/types/authentication-v1.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { type FieldError, invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { TokenIssuer } from '../authentication/authenticator.ts';
import type { RequestContext } from '../request/request-context.ts';
import { readWriteContext } from './subresource-response.ts';
import type { SubresourceDependencies, SubresourceHandler } from './subresource.ts';

const definition = 'io.k8s.api.authentication.v1.TokenRequest';
const tokenRequests = { group: 'authentication.k8s.io', resource: 'tokenrequests' };
const defaultSeconds = 3600;
const minSeconds = 600;

type BoundClaims = Pick<Parameters<TokenIssuer['issue']>[0], 'boundObject' | 'node'>;

/** Issues a token for a service account (KEP-1205), bound to a Pod, Secret or Node if asked. */
export const serviceAccountToken: SubresourceHandler = {
  group: '',
  resource: 'serviceaccounts',
  subresource: 'token',
  async handle(context, dependencies) {
    const { info, clock } = context;
    if (info.verb !== 'create') throw methodNotAllowed();
    const write = readWriteContext(context);
    const expected = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' };
    const request = (await dependencies.decodeBody(context, definition, expected)) as TokenRequest;
    checkNamespace(request, context);
    const store = dependencies.storeFor(serviceAccounts);
    await dependencies.admit({ context, operation: 'CREATE', store, subresource: 'token', object: request, dryRun: write.dryRun });
    checkName(request, context);
    const account = store.read(await store.get({ namespace: info.namespace, name: info.name }, context.signal));
    const expirationSeconds = request.spec?.expirationSeconds ?? defaultSeconds;
    request.spec = { audiences: [], ...request.spec, expirationSeconds };
    const errors = validateExpiration(expirationSeconds);
    if (errors.length > 0) throw invalid({ group: tokenRequests.group, kind: 'TokenRequest' }, '', errors);
    const requested = request.spec.audiences ?? [];
    const audiences = requested.length > 0 ? requested : [...dependencies.tokenIssuer.defaultAudiences];
    request.spec.audiences = audiences;
    const bound = await bind(request, context, dependencies);
    const { token, expirationMs } = await dependencies.tokenIssuer.issue({
      namespace: info.namespace,
      serviceAccount: { name: info.name, uid: account.metadata.uid ?? '' },
      audiences,
      expirationSeconds,
      ...bound,
    });
    context.audit?.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${idOf(token)}`);
    request.metadata = {
      ...request.metadata,
      name: info.name,
      namespace: info.namespace,
      creationTimestamp: formatTime(clock.nowMs()),
    };
    request.status = { token, expirationTimestamp: formatTime(expirationMs) };
    return dependencies.respond(context, request, 201);
  },
};

/** The id of a token that was just signed. */
function idOf(token: string): string {
  const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return String((payload as { readonly jti?: unknown }).jti);
}

function checkNamespace({ metadata }: TokenRequest, { info }: RequestContext): void {
  if (metadata?.namespace && metadata.namespace !== info.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function checkName({ metadata }: TokenRequest, { info }: RequestContext): void {
  if (!metadata?.name || metadata.name === info.name) return;
  const error = invalidField(FieldPath.root.child('metadata', 'name'), metadata.name, 'must match the service account name if specified');
  throw invalid({ group: tokenRequests.group, kind: 'TokenRequest' }, info.name, [error]);
}

function validateExpiration(seconds: number): FieldError[] {
  const path = FieldPath.root.child('spec', 'expirationSeconds');
  if (seconds < minSeconds) return [invalidField(path, seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds > 2 ** 32) return [invalidField(path, seconds, 'may not specify a duration larger than 2^32 seconds')];
  return [];
}

/** The object that the token is bound to: it must exist, with the given uid. The token is invalid once it is deleted. */
async function bind({ spec }: TokenRequest, context: RequestContext, dependencies: SubresourceDependencies): Promise<BoundClaims> {
  const reference = spec?.boundObjectRef;
  if (!reference) return {};
  const { kind = '', apiVersion = '', name = '', uid = '' } = reference;
  const { namespace } = context.info;
  const read = async <T extends KubeObject>(resource: ResourceDefinition<T>, objectNamespace: string) => {
    const store = dependencies.storeFor(resource);
    const object = store.read(await store.get({ namespace: objectNamespace, name }, context.signal));
    if (uid !== '' && uid !== object.metadata.uid) {
      const message = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ group: '', resource: kind }, name, message);
    }
    return object as unknown as DeepReadonly<T>;
  };
  const boundObject = (object: DeepReadonly<KubeObject>) => ({ name, uid: object.metadata.uid ?? '' });
  const hasNoGroup = !apiVersion.includes('/');
  if (hasNoGroup && kind === 'Pod') {
    const pod = await read(pods, namespace);
    if ((pod.spec?.serviceAccountName ?? '') !== context.info.name) {
      const account = JSON.stringify(context.info.name);
      throw badRequest(`cannot bind token for serviceaccount ${account} to pod running with different serviceaccount name.`);
    }
    const node = await nodeOf(pod, context, dependencies);
    return { boundObject: { kind: 'Pod', ...boundObject(pod) }, ...(node ? { node } : {}) };
  }
  if (hasNoGroup && kind === 'Secret') return { boundObject: { kind: 'Secret', ...boundObject(await read(secrets, namespace)) } };
  if (hasNoGroup && kind === 'Node') return { boundObject: { kind: 'Node', ...boundObject(await read(nodes, '')) } };
  const version = hasNoGroup ? `/${apiVersion}` : apiVersion;
  throw badRequest(`cannot bind token to object of type ${version}, Kind=${kind}`);
}

/** The node of the token's Pod. The token is issued even if the node has just been deleted. */
async function nodeOf(
  pod: DeepReadonly<Pod>,
  { signal }: RequestContext,
  { storeFor }: SubresourceDependencies,
): Promise<BoundClaims['node']> {
  const name = pod.spec?.nodeName ?? '';
  if (name === '') return undefined;
  try {
    const store = storeFor(nodes);
    const { metadata } = store.read(await store.get({ namespace: '', name }, signal));
    return { name, uid: metadata.uid ?? '' };
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
