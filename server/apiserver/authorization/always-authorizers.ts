import type { Authorizer } from './authorizer.ts';

/** Allows everything: AlwaysAllow. */
export const alwaysAllowAuthorizer: Authorizer = { authorize: () => ({ decision: 'Allow', reason: '' }) };

/** Has no opinion on anything, with a reason: AlwaysDeny. */
export const alwaysDenyAuthorizer: Authorizer = {
  authorize: () => ({ decision: 'NoOpinion', reason: 'Everything is forbidden.' }),
};
