import { internalError, timeout } from '../../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../admission.ts';
import { convertObject } from '../matching/convert-object.ts';
import type { MatchedResource } from '../matching/match-request.ts';
import { CallFailure, callWebhook } from './call-webhook.ts';
import type { CompiledWebhook } from './compile-webhooks.ts';
import { passesConditions } from './match-conditions.ts';
import { selectWebhook } from './select-webhooks.ts';
import { show, type ShownObjects } from './shown-objects.ts';

interface Invocation {
  readonly hook: CompiledWebhook;
  readonly matched: MatchedResource;
  readonly shown: ShownObjects;
}

/** Asks all webhooks that match at once. Rejects with the first refusal, when all have answered. */
export async function dispatchValidating(
  hooks: readonly CompiledWebhook[],
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<void> {
  if (hooks.length === 0) return;
  const views = new Map<ResourceDefinition, ShownObjects>();
  const invocations: Invocation[] = [];
  for (const hook of hooks) {
    const matched = await selectWebhook(hook, request, dependencies);
    if (!matched) continue;
    const shown = views.get(matched.resource) ?? (await showAs(matched, request));
    views.set(matched.resource, shown);
    if (await passesConditions(hook, 'validating', request, matched, shown, dependencies)) invocations.push({ hook, matched, shown });
  }
  if (invocations.length === 0) return;
  if (request.signal.aborted) throw timeout('request did not complete within requested timeout');
  let refusal: { readonly error: unknown } | undefined;
  const ask = async (invocation: Invocation, index: number) => {
    try {
      await askOne(invocation, index, request, dependencies);
    } catch (error) {
      refusal ??= { error };
    }
  };
  await Promise.all(invocations.map(ask));
  if (refusal) throw refusal.error;
}

async function showAs({ resource }: MatchedResource, request: AdmissionRequest): Promise<ShownObjects> {
  const { object, oldObject } = request;
  if (resource === request.resource) return show(object, oldObject);
  return show(
    object && (await convertObject(object, request.resource, resource, request)),
    oldObject && (await convertObject(oldObject, request.resource, resource, request)),
  );
}

async function askOne(
  { hook, matched, shown }: Invocation,
  index: number,
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<void> {
  const { clock, webhookMetrics, logger } = dependencies;
  const { name, failurePolicy } = hook.webhook;
  const { operation } = request;
  const startMs = clock.monotonicMs();
  const count = (rejected: boolean, code: number) =>
    webhookMetrics.called(name, 'validating', operation, { rejected, code, seconds: (clock.monotonicMs() - startMs) / 1000 });
  try {
    await callWebhook(hook, false, request, matched, shown.json(), dependencies);
    count(false, 200);
  } catch (error) {
    if (!(error instanceof CallFailure)) {
      const isDenial = error instanceof StatusError && error.message.includes(' denied the request');
      const code = isDenial ? error.code : 0;
      webhookMetrics.rejected(name, 'validating', operation, isDenial ? 'no_error' : 'apiserver_internal_error', code);
      count(true, code);
      throw error;
    }
    const ignores = failurePolicy === 'Ignore';
    if (!ignores && !error.isCanceled) webhookMetrics.rejected(name, 'validating', operation, 'calling_webhook_error', error.code);
    count(!ignores, error.code);
    if (!ignores) throw internalError(error.message);
    if (error.isCanceled) return;
    logger.warn('failed calling webhook, failing open', { webhook: name, error: error.message });
    webhookMetrics.failedOpen(name, 'validating');
    request.annotate?.(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, name);
  }
}
