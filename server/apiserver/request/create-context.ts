import type { Clock } from '../../../api/base/clock.ts';
import type { APIRequest } from '../../../api/client/transport.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { RequestContext, RequestInfo } from './request-context.ts';

/** The user of a context before the authentication filter has found out who asks. */
export const nobody: UserInfo = { name: '', groups: [] };

/** A context that can be let go of: `release` detaches it from the caller's signal once the answer is complete. */
interface OwnedContext {
  readonly context: RequestContext;
  release(): void;
}

/** Begins the life of a request. */
export function createContext(request: APIRequest, info: RequestInfo, query: URLSearchParams, clock: Clock): OwnedContext {
  const controller = new AbortController();
  const onGone = () => controller.abort(request.signal.reason);
  if (request.signal.aborted) onGone();
  else request.signal.addEventListener('abort', onGone, { once: true });
  const warnings: string[] = [];
  const known = new Set<string>();
  const context: RequestContext = {
    request,
    info,
    query,
    auditID: '',
    audit: undefined,
    user: nobody,
    authenticationMs: 0,
    credentialAnnotations: undefined,
    clock,
    receivedMs: clock.nowMs(),
    warnings,
    addWarning(text) {
      if (text === '' || known.has(text)) return;
      known.add(text);
      warnings.push(text);
    },
    isDelegated: false,
    signal: controller.signal,
    deadlineMs: undefined,
    flowHeaders: undefined,
    watchInitialized: undefined,
    watchEventsSent: undefined,
    waitedMs: 0,
    terminatedWith: 0,
    abort: (reason) => controller.abort(reason),
  };
  return { context, release: () => request.signal.removeEventListener('abort', onGone) };
}
