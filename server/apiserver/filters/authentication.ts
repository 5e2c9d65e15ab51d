import { credentialAnnotations } from '../authentication/credential-annotations.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { ignoredTokenWarning } from '../authentication/bearer-token.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import { withoutCredentials } from '../authentication/without-credentials.ts';
import { anonymousUser, withAuthenticatedGroup } from '../authentication/well-known.ts';
import type { AccessMetrics } from '../metrics/access-metrics.ts';
import type { Filter } from '../request/request-context.ts';

interface AuthenticationFilterOptions {
  readonly authenticator: Authenticator;
  /** Whether requests without any credential to that path are served as system:anonymous. */
  allowsAnonymous(path: string): boolean;
  readonly metrics: AccessMetrics;
  readonly logger: Logger;
}

/**
 * Authenticates the client. In-process callers have the identity that the composition root gave them; a bad credential is refused, none
 * means anonymous.
 */
export function authentication({ authenticator, allowsAnonymous, metrics, logger }: AuthenticationFilterOptions): Filter {
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
      if (!(error instanceof StatusError) || error.code !== 401) throw error;
      // The error of a credential is reported to those who may create a TokenReview and in the debug log only.
      logger.debug('Unable to authenticate the request', { path: request.path, message: error.message });
      throw unauthorized('Unauthorized');
    }
    const isAnonymous = user === undefined && allowsAnonymous(request.path);
    metrics.authenticated(user || isAnonymous ? 'success' : 'failure', user?.name ?? anonymousUser.name, seconds());
    if (user) {
      context.user = withAuthenticatedGroup(user);
      context.authenticationMs = seconds() * 1000;
      context.credentialAnnotations = credentialAnnotations(user);
    } else if (isAnonymous) context.user = anonymousUser;
    else throw unauthorized('Unauthorized');
    const warning = ignoredTokenWarning(request);
    if (warning !== undefined) context.addWarning(warning);
    context.request = withoutCredentials(request);
    return next(context);
  };
}
