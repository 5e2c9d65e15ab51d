import { unauthorized } from '../../../api/meta/status-errors.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import { anonymousUser, withAuthenticatedGroup } from '../authentication/well-known.ts';
import type { Filter } from '../request-context.ts';

export interface AuthenticationFilterOptions {
  readonly authenticator: Authenticator;
  /** Whether requests without any credential are served as system:anonymous. */
  readonly allowAnonymous: boolean;
}

/** Finds out who asks. In-process callers are who the composition root says; a bad credential is refused, none is anonymous. */
export function authentication({ authenticator, allowAnonymous }: AuthenticationFilterOptions): Filter {
  return (next) => async (context) => {
    const { request } = context;
    if (request.user && request.peer === undefined) {
      context.user = request.user;
      return next(context);
    }
    const user = await authenticator.authenticate(request);
    if (user) {
      context.user = withAuthenticatedGroup(user);
    } else if (allowAnonymous) context.user = anonymousUser;
    else throw unauthorized('Unauthorized');
    return next(context);
  };
}
