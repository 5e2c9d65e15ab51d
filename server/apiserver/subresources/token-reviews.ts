import { credentialAnnotations } from '../authentication/credential-annotations.ts';
import type { TokenReview } from '../../../api/types/authentication-v1.ts';
import { badRequest, statusOf } from '../../../api/meta/status-errors.ts';
import { tokenReviews as definition } from '../../../api/resources/authentication/v1/token-review.ts';
import { aggregateMessage } from '../authentication/union.ts';
import { withAuthenticatedGroup } from '../authentication/well-known.ts';
import { defineReview } from './review.ts';

/** Authenticates a token. The error of a bad token is part of the status, and not an error of the request. */
export const tokenReviews = defineReview<TokenReview>(definition, async (review, context, { tokenAuthenticator }) => {
  const { token = '', audiences = [] } = review.spec ?? {};
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const status: NonNullable<TokenReview['status']> = { user: {} };
  try {
    // The token in the form in which it would be read from a header.
    const [sent = ''] = token.trim().split(' ');
    const found = await tokenAuthenticator.authenticateToken(sent, audiences);
    context.signal.throwIfAborted();
    if (found) {
      for (const annotation of Object.entries(credentialAnnotations(found.user) ?? {})) context.audit?.annotate(...annotation);
      const { name, uid, groups, extra } = withAuthenticatedGroup(found.user);
      status.authenticated = true;
      status.user = {
        username: name,
        ...(uid === undefined ? {} : { uid }),
        groups: [...groups],
        ...(extra === undefined ? {} : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
      };
      if (found.audiences.length > 0) status.audiences = [...found.audiences];
    } else status.error = 'invalid bearer token';
  } catch (error) {
    context.signal.throwIfAborted();
    status.error = aggregateMessage([...new Set(['invalid bearer token', statusOf(error).message ?? 'unknown'])]);
  }
  review.status = status;
});
