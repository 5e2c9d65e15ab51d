import type { EvaluationResult, WebhookMetrics } from '../authorization/webhook-authorizer.ts';
import type { MetricFamilies } from '../metric-families.ts';

/** Metrics of the authorizers. */
export interface AuthorizationMetrics {
  /** A decision that ended the asking. */
  decided(type: string, name: string, decision: 'allowed' | 'denied'): void;
  ofWebhook(name: string): WebhookMetrics;
}

/** The buckets of Go's client library. */
const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createAuthorizationMetrics(families: MetricFamilies): AuthorizationMetrics {
  const decisions = families.counter({
    name: 'apiserver_authorization_decisions_total',
    help: 'Total number of terminal decisions made by an authorizer split by authorizer type, name, and decision.',
    stability: 'ALPHA',
    labels: ['type', 'name', 'decision'],
  });
  const webhooks = webhookFamilies(families);
  const conditions = conditionFamilies(families);
  return {
    decided: (type, name, decision) => decisions.with(type, name, decision).add(),
    ofWebhook: (name) => ({
      called(result, seconds) {
        webhooks.evaluations.with(name, result).add();
        webhooks.seconds.with(name, result).observe(seconds);
      },
      failedOpen: (result: EvaluationResult) => webhooks.failOpen.with(name, result).add(),
      matched({ isExcluded, hasErrors }, seconds) {
        conditions.seconds.with('Webhook', name).observe(seconds);
        if (hasErrors) conditions.errors.with('Webhook', name).add();
        if (isExcluded) conditions.exclusions.with('Webhook', name).add();
      },
    }),
  };
}

function webhookFamilies(families: MetricFamilies) {
  const labels = ['name', 'result'];
  return {
    evaluations: families.counter({
      name: 'apiserver_authorization_webhook_evaluations_total',
      help: 'Round-trips to authorization webhooks.',
      stability: 'BETA',
      labels,
    }),
    seconds: families.histogram({
      name: 'apiserver_authorization_webhook_duration_seconds',
      help: 'Request latency in seconds.',
      stability: 'BETA',
      labels,
      buckets: defaultBuckets,
    }),
    failOpen: families.counter({
      name: 'apiserver_authorization_webhook_evaluations_fail_open_total',
      help: 'NoOpinion results due to webhook timeout or error.',
      stability: 'BETA',
      labels,
    }),
  };
}

function conditionFamilies(families: MetricFamilies) {
  const labels = ['type', 'name'];
  return {
    errors: families.counter({
      name: 'apiserver_authorization_match_condition_evaluation_errors_total',
      help: 'Total number of errors when an authorization webhook encounters a match condition error split by authorizer type and name.',
      stability: 'ALPHA',
      labels,
    }),
    exclusions: families.counter({
      name: 'apiserver_authorization_match_condition_exclusions_total',
      help: 'Total number of exclusions when an authorization webhook is skipped because match conditions exclude it.',
      stability: 'ALPHA',
      labels,
    }),
    seconds: families.histogram({
      name: 'apiserver_authorization_match_condition_evaluation_seconds',
      help: 'Authorization match condition evaluation time in seconds, split by authorizer type and name.',
      stability: 'ALPHA',
      labels,
      buckets: [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25],
    }),
  };
}
