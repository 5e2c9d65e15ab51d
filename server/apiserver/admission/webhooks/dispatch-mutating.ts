import { formatJSON } from '../../../../api/base/format-json.ts';
import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { internalError, timeout } from '../../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { StatusError } from '../../../../api/meta/status.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../admission.ts';
import { convertObject } from '../matching/convert-object.ts';
import type { MatchedResource } from '../matching/match-request.ts';
import { CallFailure, callWebhook } from './call-webhook.ts';
import type { CompiledWebhook } from './compile-webhooks.ts';
import { passesConditions } from './match-conditions.ts';
import { patchReviewed, replaceContent } from './patch-reviewed.ts';
import { selectWebhook } from './select-webhooks.ts';
import { show, type ShownObjects } from './shown-objects.ts';

/** Notes of the first run of the mutating phase for its second. */
interface Rounds {
  /** Webhooks with reinvocationPolicy IfNeeded that have been asked since the object changed last. */
  asked: Set<string>;
  /** Webhooks that are to be asked again. */
  readonly again: Set<string>;
  /** The object as the webhooks left it. */
  output: string;
}

const notesKey = 'MutatingAdmissionWebhook';

/** Asks the webhooks one after the other, each about the object as the one before it has left it. Modifies the object. */
export async function dispatchMutating(
  hooks: readonly CompiledWebhook[],
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<void> {
  if (hooks.length === 0) return;
  const rounds = roundsOf(request);
  const { isSecondRun } = request.reinvocation;
  // Plugins that run before have changed the object: all that may be asked again are asked.
  if (isSecondRun && rounds.asked.size > 0 && rounds.output !== formatJSON(request.object)) askAgain(rounds);
  const view = createView(request);
  for (const [index, hook] of hooks.entries()) {
    const matched = await selectWebhook(hook, request, dependencies);
    if (!matched) continue;
    if (isSecondRun && !rounds.again.has(hook.uid)) continue;
    const shown = await view.as(matched);
    if (!(await passesConditions(hook, 'admit', request, matched, shown, dependencies))) continue;
    const outcome = await askOne(hook, index, request, matched, shown, dependencies);
    if (outcome !== 'as it was') await view.replaced(shown);
    if (outcome === 'changed') {
      askAgain(rounds);
      request.reinvocation.isWanted = true;
    }
    if (hook.webhook.reinvocationPolicy === 'IfNeeded') rounds.asked.add(hook.uid);
  }
  if (rounds.asked.size > 0 && !isSecondRun) rounds.output = formatJSON(request.object);
}

function roundsOf({ reinvocation: { notes } }: AdmissionRequest): Rounds {
  let rounds = notes.get(notesKey) as Rounds | undefined;
  if (!rounds) notes.set(notesKey, (rounds = { asked: new Set(), again: new Set(), output: '' }));
  return rounds;
}

function askAgain(rounds: Rounds): void {
  for (const uid of rounds.asked) rounds.again.add(uid);
  rounds.asked = new Set();
}

/** Converts objects to the version that each webhook expects, and keeps the result while the object stays unchanged. */
function createView(request: AdmissionRequest): {
  as(matched: MatchedResource): Promise<ShownObjects>;
  /** The object that was shown has changed: the object of the request becomes the same. */
  replaced(shown: ShownObjects): Promise<void>;
} {
  let last: { readonly resource: ResourceDefinition; readonly shown: ShownObjects } | undefined;
  return {
    async as({ resource }) {
      if (last?.resource === resource) return last.shown;
      const convert = async (object: DeepReadonly<UntypedObject>) => convertObject(object, request.resource, resource, request);
      const isOwn = resource === request.resource;
      const object = isOwn || !request.object ? request.object : await convert(request.object);
      const oldObject = isOwn || !request.oldObject ? request.oldObject : await convert(request.oldObject);
      last = { resource, shown: show(object, oldObject) };
      return last.shown;
    },
    async replaced({ object }) {
      const resource = last?.resource ?? request.resource;
      last = undefined;
      if (!object || !request.object || object === request.object) return;
      replaceContent(request.object, await convertObject(object, resource, request.resource, request));
    },
  };
}

/** The result of a call. A patch that changes nothing may still lead to defaults, but causes no reinvocation. */
type Outcome = 'as it was' | 'patched' | 'changed';

/** Calls one webhook and applies its patch to the converted object. */
async function askOne(
  hook: CompiledWebhook,
  index: number,
  request: AdmissionRequest,
  matched: MatchedResource,
  shown: ShownObjects,
  dependencies: AdmissionDependencies,
): Promise<Outcome> {
  const { clock, webhookMetrics, logger } = dependencies;
  const { name, failurePolicy } = hook.webhook;
  const startMs = clock.monotonicMs();
  const place = `round_${request.reinvocation.isSecondRun ? 1 : 0}_index_${index}`;
  const origin = { configuration: hook.configuration, webhook: name };
  let isChanged = false;
  const count = (rejected: boolean, code: number) =>
    webhookMetrics.called(name, 'admit', request.operation, { rejected, code, seconds: (clock.monotonicMs() - startMs) / 1000 });
  try {
    const { patch = '' } = await callWebhook(hook, true, request, matched, shown.json(), dependencies);
    const patched = patch === '' ? undefined : await patchReviewed(name, patch, shown.object, matched.resource, dependencies);
    if (patched && shown.object) {
      ({ isChanged } = patched);
      replaceContent(shown.object, patched.object);
      const value = formatJSON({ ...origin, patch: patched.patch, patchType: 'JSONPatch' });
      request.annotate?.(`patch.webhook.admission.k8s.io/${place}`, value, 'Request');
    }
    count(false, 200);
    return patched === undefined ? 'as it was' : isChanged ? 'changed' : 'patched';
  } catch (error) {
    const ignores = error instanceof CallFailure && failurePolicy === 'Ignore';
    countFailure(error, ignores, name, request, dependencies, count);
    if (!(error instanceof CallFailure)) throw error;
    if (!ignores) throw internalError(error.message);
    if (!error.isCanceled) {
      logger.warn('failed calling webhook, failing open', { webhook: name, error: error.message });
      webhookMetrics.failedOpen(name, 'admit');
      request.annotate?.(`failed-open.mutation.webhook.admission.k8s.io/${place}`, name);
    }
    if (request.signal.aborted) throw timeout('request did not complete within requested timeout');
    return 'as it was';
  } finally {
    request.annotate?.(`mutation.webhook.admission.k8s.io/${place}`, JSON.stringify({ ...origin, mutated: isChanged }));
  }
}

function countFailure(
  error: unknown,
  ignores: boolean,
  name: string,
  { operation }: AdmissionRequest,
  { webhookMetrics }: AdmissionDependencies,
  count: (rejected: boolean, code: number) => void,
): void {
  if (error instanceof CallFailure) {
    if (!ignores && !error.isCanceled) webhookMetrics.rejected(name, 'admit', operation, 'calling_webhook_error', error.code);
    return count(!ignores, error.code);
  }
  const isDenial = error instanceof StatusError && error.message.startsWith('admission webhook ');
  const code = isDenial ? error.code : 0;
  webhookMetrics.rejected(name, 'admit', operation, isDenial ? 'no_error' : 'apiserver_internal_error', code);
  count(true, code);
}
