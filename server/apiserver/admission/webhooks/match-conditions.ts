import { forbidden } from '../../../../api/meta/status-errors.ts';
import type { WebhookType } from '../../metrics/webhook-metrics.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../admission.ts';
import { createVariables } from '../expressions/create-input.ts';
import type { MatchedResource } from '../matching/match-request.ts';
import type { CompiledWebhook } from './compile-webhooks.ts';
import type { ShownObjects } from './shown-objects.ts';

/** Whether the matchConditions of a webhook let it be asked. Throws 403 where they cannot be evaluated and failurePolicy is Fail. */
export async function passesConditions(
  { webhook }: CompiledWebhook,
  type: WebhookType,
  request: AdmissionRequest,
  matched: MatchedResource,
  shown: ShownObjects,
  { clock, expressions, webhookMetrics }: AdmissionDependencies,
): Promise<boolean> {
  const { name, matchConditions: conditions = [], failurePolicy } = webhook;
  if (conditions.length === 0) return true;
  const startMs = clock.monotonicMs();
  const task = { kind: 'conditions', conditions, hasParams: false, ignoresFailures: failurePolicy === 'Ignore' } as const;
  const result = await expressions.for(request).evaluate(task, createVariables(request, matched, shown, {}));
  webhookMetrics.matchConditions(name, type, request.operation, {
    seconds: (clock.monotonicMs() - startMs) / 1000,
    errors: result.errors,
    isExcluded: result.kind === 'excluded',
  });
  if (result.kind === 'failed') throw forbidden(request.resource, request.name, result.error);
  return result.kind === 'matches';
}
