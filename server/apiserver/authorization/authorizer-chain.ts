import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { ReviewWebhook } from '../webhooks/review-webhook.ts';
import type { ConditionWork } from './match-conditions.ts';
import { alwaysAllowAuthorizer, alwaysDenyAuthorizer } from './always-authorizers.ts';
import type { Authorizer } from './authorizer.ts';
import type { BuiltInType, WebhookSettings } from './configuration.ts';
import type { RuleResolver } from './rbac-authorizer.ts';
import type { Rule } from './rule-evaluation.ts';
import { privilegedGroupAuthorizer, unionAuthorizer } from './union-authorizer.ts';
import { createWebhookAuthorizer, type WebhookMetrics } from './webhook-authorizer.ts';

/** An authorizer of the configuration, with its dependencies. */
export type ConfiguredAuthorizer =
  | { readonly type: BuiltInType; readonly name: string }
  | { readonly type: 'Webhook'; readonly name: string; readonly settings: WebhookSettings; readonly webhook: ReviewWebhook };

/** A user's permissions, for SelfSubjectRulesReview. */
interface ReviewedRules {
  readonly rules: readonly Rule[];
  readonly errors: readonly string[];
  /** Whether an authorizer may allow more than its rules show. */
  readonly isIncomplete: boolean;
}

export interface AuthorizerChain {
  readonly authorizer: Authorizer;
  rulesFor(user: UserInfo, namespace: string): ReviewedRules;
}

export interface ChainDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly node: Authorizer;
  readonly rbac: Authorizer;
  readonly rbacRules: RuleResolver;
  /** Absent: match conditions of webhooks are evaluated in this thread, whatever they cost. */
  readonly conditionWork?: ConditionWork | undefined;
  readonly metrics: {
    decided(type: string, name: string, decision: 'allowed' | 'denied'): void;
    ofWebhook(name: string): WebhookMetrics;
  };
}

/** Asks the group system:masters first and then the authorizers in their order. */
export function createAuthorizerChain(configured: readonly ConfiguredAuthorizer[], dependencies: ChainDependencies): AuthorizerChain {
  const authorizers = configured.map((one) => counted(one, authorizerOf(one, dependencies), dependencies));
  return {
    authorizer: unionAuthorizer([privilegedGroupAuthorizer, ...authorizers]),
    rulesFor(user, namespace) {
      const found = configured.map((one) => rulesOf(one, dependencies, user, namespace));
      return {
        rules: found.flatMap(({ rules }) => rules),
        errors: found.flatMap(({ errors }) => errors),
        isIncomplete: found.some(({ isIncomplete }) => isIncomplete),
      };
    },
  };
}

function authorizerOf(configured: ConfiguredAuthorizer, dependencies: ChainDependencies): Authorizer {
  switch (configured.type) {
    case 'AlwaysAllow':
      return alwaysAllowAuthorizer;
    case 'AlwaysDeny':
      return alwaysDenyAuthorizer;
    case 'Node':
      return dependencies.node;
    case 'RBAC':
      return dependencies.rbac;
    case 'Webhook': {
      const { name, settings, webhook } = configured;
      return createWebhookAuthorizer({ ...dependencies, name, settings, webhook, metrics: dependencies.metrics.ofWebhook(name) });
    }
  }
}

const decisionLabels = { Allow: 'allowed', Deny: 'denied' } as const;

function counted({ type, name }: ConfiguredAuthorizer, authorizer: Authorizer, { metrics }: ChainDependencies): Authorizer {
  return {
    authorize(attributes, signal) {
      const answer = authorizer.authorize(attributes, signal);
      if (answer instanceof Promise)
        return answer.then((decided) => {
          if (decided.decision !== 'NoOpinion') metrics.decided(type, name, decisionLabels[decided.decision]);
          return decided;
        });
      if (answer.decision !== 'NoOpinion') metrics.decided(type, name, decisionLabels[answer.decision]);
      return answer;
    },
  };
}

const everything: readonly Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

function rulesOf({ type }: ConfiguredAuthorizer, { rbacRules }: ChainDependencies, user: UserInfo, namespace: string): ReviewedRules {
  switch (type) {
    case 'AlwaysAllow':
      return { rules: everything, errors: [], isIncomplete: false };
    case 'RBAC':
      return { ...rbacRules.rulesFor(user, namespace), isIncomplete: false };
    case 'Webhook':
      return { rules: [], errors: ['webhook authorizer does not support user rule resolution'], isIncomplete: true };
    default:
      return { rules: [], errors: [], isIncomplete: false };
  }
}
