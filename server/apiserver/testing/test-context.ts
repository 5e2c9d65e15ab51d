import type { Clock } from '../../../api/base/clock.ts';
import type { APIRequest } from '../../../api/client/transport.ts';
import { createContext } from '../request/create-context.ts';
import type { RequestContext, RequestInfo } from '../request/request-context.ts';

/** A request context for tests of single filters and endpoints: by default a GET of a non-resource path. */
export function testContext(clock: Clock, request: Partial<APIRequest> = {}, info: Partial<RequestInfo> = {}): RequestContext {
  const path = request.path ?? '/';
  const full: APIRequest = { method: 'GET', path, query: '', headers: {}, signal: new AbortController().signal, ...request };
  const fullInfo: RequestInfo = {
    isResourceRequest: info.resource !== undefined,
    path,
    verb: 'get',
    apiPrefix: '',
    apiGroup: '',
    apiVersion: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    parts: [],
    depth: 0,
    isWatchPath: false,
    isProxyPath: false,
    leadsNowhere: false,
    isBelowNamespace: false,
    ...info,
  };
  return createContext(full, fullInfo, new URLSearchParams(full.query), clock).context;
}
