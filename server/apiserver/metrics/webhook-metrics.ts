import type { MetricFamilies } from '../metric-families.ts';

/** Which of the two kinds of webhooks was called, as metrics name them. */
export type WebhookType = 'admit' | 'validating';

/** Why a webhook has ended a request: it denied it, it could not be called, or its patch could not be used. */
export type RejectionCause = 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error';

/** Counts the calls of admission webhooks. */
export interface WebhookMetrics {
  called(
    name: string,
    type: WebhookType,
    operation: string,
    outcome: { readonly rejected: boolean; readonly code: number; readonly seconds: number },
  ): void;
  rejected(name: string, type: WebhookType, operation: string, cause: RejectionCause, code: number): void;
  failedOpen(name: string, type: WebhookType): void;
  matchConditions(
    name: string,
    type: WebhookType,
    operation: string,
    outcome: { readonly seconds: number; readonly errors: number; readonly isExcluded: boolean },
  ): void;
}

/** Status codes from here on are counted as one, so that a webhook cannot create a series for each number. */
const maxCode = 600;
const conditionLabels = ['name', 'kind', 'type', 'operation'];

export function createWebhookMetrics(families: MetricFamilies): WebhookMetrics {
  const duration = families.histogram({
    name: 'apiserver_admission_webhook_admission_duration_seconds',
    help: 'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    stability: 'STABLE',
    labels: ['name', 'type', 'operation', 'rejected'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25],
  });
  const requests = families.counter({
    name: 'apiserver_admission_webhook_request_total',
    help: 'Admission webhook request total, identified by name and broken out for each admission type (validating or mutating) and operation. Additional labels specify whether the request was rejected or not and an HTTP status code. Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
    stability: 'ALPHA',
    labels: ['name', 'type', 'operation', 'code', 'rejected'],
  });
  const rejections = families.counter({
    name: 'apiserver_admission_webhook_rejection_count',
    help: 'Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code (honored by the apiserver when the code is greater or equal to 400). Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.',
    stability: 'ALPHA',
    labels: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
  });
  const failOpen = families.counter({
    name: 'apiserver_admission_webhook_fail_open_count',
    help: 'Admission webhook fail open count, identified by name and broken out for each admission type (validating or mutating).',
    stability: 'ALPHA',
    labels: ['name', 'type'],
  });
  const conditions = createConditionMetrics(families);
  return {
    called(name, type, operation, { rejected, code, seconds }) {
      duration.with(name, type, operation, String(rejected)).observe(seconds);
      requests.with(name, type, operation, String(Math.min(code, maxCode)), String(rejected)).add();
    },
    rejected: (name, type, operation, cause, code) => rejections.with(name, type, operation, cause, String(Math.min(code, maxCode))).add(),
    failedOpen: (name, type) => failOpen.with(name, type).add(),
    matchConditions: conditions,
  };
}

function createConditionMetrics(families: MetricFamilies): WebhookMetrics['matchConditions'] {
  const errors = families.counter({
    name: 'apiserver_admission_match_condition_evaluation_errors_total',
    help: 'Admission match condition evaluation errors count, identified by name of resource containing the match condition and broken out for each kind containing matchConditions (webhook or policy), operation and admission type (validate or admit).',
    stability: 'ALPHA',
    labels: conditionLabels,
  });
  const seconds = families.histogram({
    name: 'apiserver_admission_match_condition_evaluation_seconds',
    help: 'Admission match condition evaluation time in seconds, identified by name and broken out for each kind containing matchConditions (webhook or policy), operation and type (validate or admit).',
    stability: 'ALPHA',
    labels: conditionLabels,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25],
  });
  const exclusions = families.counter({
    name: 'apiserver_admission_match_condition_exclusions_total',
    help: 'Admission match condition evaluation exclusions count, identified by name of resource containing the match condition and broken out for each kind containing matchConditions (webhook or policy), operation and admission type (validate or admit).',
    stability: 'ALPHA',
    labels: conditionLabels,
  });
  return (name, type, operation, outcome) => {
    const labels = [name, 'webhook', type, operation] as const;
    seconds.with(...labels).observe(outcome.seconds);
    if (outcome.errors > 0) errors.with(...labels).add(outcome.errors);
    if (outcome.isExcluded) exclusions.with(...labels).add();
  };
}
