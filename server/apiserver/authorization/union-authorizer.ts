import { systemMasters } from '../authentication/well-known.ts';
import type { Authorizer } from './authorizer.ts';

/** An authorizer that asks others in their order: the first that allows or denies decides. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes, signal) {
      const reasons: string[] = [];
      const errors: string[] = [];
      for (const authorizer of authorizers) {
        const answer = authorizer.authorize(attributes, signal);
        const decided = answer instanceof Promise ? await answer : answer;
        if (decided.decision !== 'NoOpinion') return decided;
        if (decided.reason !== '') reasons.push(decided.reason);
        if (decided.error !== undefined) errors.push(decided.error);
      }
      const error = formatErrors(errors);
      return { decision: 'NoOpinion', reason: reasons.join('\n'), ...(error === '' ? {} : { error }) };
    },
  };
}

/** Joins several errors as upstream's aggregates do, without repeated ones. */
export function formatErrors(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? '');
}

/** The group that may do everything, whatever bindings say: the way back in after a mistake. */
export const privilegedGroupAuthorizer: Authorizer = {
  authorize({ user }) {
    return user.groups.includes(systemMasters) ? { decision: 'Allow', reason: '' } : { decision: 'NoOpinion', reason: '' };
  },
};
