import type { UserInfo } from '../../../api/meta/user-info.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { ignoredTokenWarning } from '../authentication/bearer-token.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import { withoutCredentials } from '../authentication/without-credentials.ts';
import { anonymousUser, withAuthenticatedGroup } from '../authentication/well-known.ts';
import type { AccessMetrics } from '../metrics/access-metrics.ts';
import type { Filter } from '../request/request-context.ts';

export interface AuthenticationFilterOptions {
  readonly authenticator: Authenticator;
  /** Whether requests without any credential are served as system:anonymous. */
  readonly allowAnonymous: boolean;
  readonly metrics: AccessMetrics;
}

/** Finds out who asks. In-process callers are who the composition root says; a bad credential is refused, none is anonymous. */
export function authentication({ authenticator, allowAnonymous, metrics }: AuthenticationFilterOptions): Filter {
  return (next) => async (context) => {
    const { request } = context;
    if (request.user && request.peer === undefined) {
      context.user = request.user;
      return next(context);
    }
    const startMs = context.clock.monotonicMs();
    const seconds = () => (context.clock.monotonicMs() - startMs) / 1000;
    let user: UserInfo | undefined;
    try {
      const answer = authenticator.authenticate(request);
      user = answer instanceof Promise ? await answer : answer;
    } catch (error) {
      metrics.authenticated('error', '', seconds());
      // The error of a credential is told by TokenReview to those who may ask, and to nobody else.
      throw error instanceof StatusError && error.code === 401 ? unauthorized('Unauthorized') : error;
    }
    metrics.authenticated(user || allowAnonymous ? 'success' : 'failure', user?.name ?? anonymousUser.name, seconds());
    if (user) {
      context.user = withAuthenticatedGroup(user);
    } else if (allowAnonymous) context.user = anonymousUser;
    else throw unauthorized('Unauthorized');
    const warning = ignoredTokenWarning(request);
    if (warning !== undefined) context.addWarning(warning);
    context.request = withoutCredentials(request);
    return next(context);
  };
}
