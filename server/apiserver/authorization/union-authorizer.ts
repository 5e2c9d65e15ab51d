import { systemMasters } from '../authentication/well-known.ts';
import type { Authorizer } from './authorizer.ts';

/** The first that allows or denies decides. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const answer = authorizer.authorize(attributes);
        const { decision, reason } = answer instanceof Promise ? await answer : answer;
        if (decision !== 'NoOpinion') return { decision, reason };
        if (reason !== '') reasons.push(reason);
      }
      return { decision: 'NoOpinion', reason: reasons.join('\n') };
    },
  };
}

/** The group that may do everything, whatever bindings say: the way back in after a mistake. */
export const privilegedGroupAuthorizer: Authorizer = {
  authorize({ user }) {
    return user.groups.includes(systemMasters) ? { decision: 'Allow', reason: '' } : { decision: 'NoOpinion', reason: '' };
  },
};
