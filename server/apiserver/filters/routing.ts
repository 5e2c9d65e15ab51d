import { methodNotAllowed, resourceNotServed } from '../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { plainResponse } from '../responses/error-response.ts';
import type { Filter, RequestInfo } from '../request/request-context.ts';

/**
 * Answers 404 for paths that do not exist, before any right is checked. Resources that are not served pass, and so do those of other API
 * servers, which have their own paths.
 */
export function routing(
  findDefinition: (info: RequestInfo) => ResourceDefinition | undefined,
  isDelegated: (info: RequestInfo) => boolean,
): Filter {
  return (next) => (context) => {
    const { info, request } = context;
    if (info.leadsNowhere) return Promise.resolve(plainResponse(404, '404 page not found\n'));
    context.isDelegated = isDelegated(info);
    if (context.isDelegated) return next(context);
    const definition = info.isResourceRequest ? findDefinition(info) : undefined;
    // Custom kinds check their paths in their own routes.
    if (definition && !definition.schema) checkPath(info, request.method, definition);
    return next(context);
  };
}

/**
 * Which paths a resource has, by its scope: the only place that decides it. Namespaced resources are below a namespace,
 * but for lists and watches of all; cluster-scoped ones, Namespaces among them, never are. Below `watch/` are
 * collections and objects, without subresources, and nothing but GET. Behind `proxy` is whatever the backend has.
 */
export function checkPath(info: RequestInfo, method: string, { scope, verbs }: Pick<ResourceDefinition, 'scope' | 'verbs'>): void {
  const { parts, namespace, isBelowNamespace, isWatchPath, subresource } = info;
  if (info.isProxyPath || parts.slice(0, 3).includes('')) throw resourceNotServed();
  if (parts.length > 3 && subresource !== 'proxy') throw resourceNotServed();
  if (scope === 'Cluster' && isBelowNamespace) throw resourceNotServed();
  if (scope === 'Namespaced' && namespace === '' && parts.length > 1) throw resourceNotServed();
  if (!isWatchPath) return;
  // Reviews cannot be read at all.
  if (subresource !== '' || verbs.join() === 'create') throw resourceNotServed();
  if (method !== 'GET') throw methodNotAllowed();
}
