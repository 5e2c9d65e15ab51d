import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isJSONObject } from '../../../api/base/json-object.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { quote } from '../../../api/base/quote.ts';
import type { Random } from '../../../api/base/random.ts';
import { describeJSON } from '../../../api/schema/decode-scalar.ts';
import type { SubjectAccessReviewSpec } from '../../../api/types/authorization-v1.ts';
import { type ReviewWebhook, retryWebhook, WebhookError } from '../webhooks/review-webhook.ts';
import type { AuthorizationDecision, Authorizer } from './authorizer.ts';
import type { WebhookSettings } from './configuration.ts';
import { type ConditionWork, evaluateMatchConditions } from './match-conditions.ts';
import { reviewSpecOf } from './review-spec.ts';

export type EvaluationResult = 'success' | 'canceled' | 'timeout' | 'error';

/** The metrics of one webhook. */
export interface WebhookMetrics {
  called(result: EvaluationResult, seconds: number): void;
  failedOpen(result: EvaluationResult): void;
  /** Called with the result of match conditions. */
  matched(outcome: { readonly isExcluded: boolean; readonly hasErrors: boolean }, seconds: number): void;
}

export interface WebhookAuthorizerOptions {
  readonly name: string;
  readonly settings: WebhookSettings;
  readonly webhook: ReviewWebhook;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: WebhookMetrics;
  /** Absent: match conditions are evaluated in this thread, whatever they cost. */
  readonly conditionWork?: ConditionWork | undefined;
}

/** A webhook's decision, in its cached form. */
interface Verdict {
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly reason: string;
}

/** Upstream's number of answers that are kept. */
const maxVerdicts = 8192;
/** Neither the question's words nor the answer's reason may be longer, or the answer is not kept: both are of others. */
const maxCachedLength = 10_000;
/** The most calls to one webhook at a time, so that a hanging webhook does not collect all requests of the server. */
const maxCalls = 1000;
const reportEveryMs = 10_000;
/** Conditions are evaluated that long before others have their turn. */
const turnMs = 5;

/** Versions of which upstream's clients know kinds, as far as webhooks are likely to mix them up. */
const knownVersions: ReadonlySet<string> = new Set(['v1', 'authorization.k8s.io/v1', 'authorization.k8s.io/v1beta1']);
const schemeName = 'k8s.io/client-go/kubernetes/scheme/register.go:83';

const never = new AbortController().signal;
const none: AuthorizationDecision = { decision: 'NoOpinion', reason: '' };

/**
 * An authorizer that posts a SubjectAccessReview to a webhook and takes its word. Where its match conditions exclude a
 * question it has no opinion; where the webhook cannot be asked, `failurePolicy` decides.
 */
export function createWebhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer {
  const { settings } = options;
  const verdicts = createVerdictCache(options.clock);
  const ask = createCaller(options);
  const report = createFailureReport(options);
  const fail = (error: string): AuthorizationDecision => ({ decision: settings.failurePolicy, reason: '', error });
  return {
    async authorize(attributes, signal = never) {
      const spec = reviewSpecOf(attributes);
      const { matches, error } = await matchQuestion(options, spec, signal);
      if (error !== undefined) return fail(error);
      if (!matches) return none;
      const key = keyOf(spec);
      let verdict = verdicts.find(key);
      if (verdict === undefined) {
        try {
          verdict = await ask(spec, signal);
        } catch (failure) {
          const reason = failure instanceof Error ? failure.message : String(failure);
          report(reason);
          return fail(reason);
        }
        const ttlMs = verdict.allowed ? settings.authorizedTTLMs : settings.unauthorizedTTLMs;
        if (ttlMs > 0 && isCacheable(spec, verdict)) verdicts.keep(key, verdict, ttlMs);
      }
      return decisionOf(verdict);
    },
  };
}

/** Logs failures, at most one in ten seconds, since every request may fail while a webhook is down. */
function createFailureReport({ name, logger, clock }: WebhookAuthorizerOptions): (reason: string) => void {
  let nextMs = 0;
  let unreported = 0;
  return (reason) => {
    if (clock.monotonicMs() < nextMs) return void unreported++;
    logger.error('an authorization webhook could not be asked', { webhook: name, reason, unreported });
    nextMs = clock.monotonicMs() + reportEveryMs;
    unreported = 0;
  };
}

function decisionOf({ allowed, denied, reason }: Verdict): AuthorizationDecision {
  if (denied && allowed) return { decision: 'Deny', reason, error: 'webhook subject access review returned both allow and deny response' };
  return { decision: denied ? 'Deny' : allowed ? 'Allow' : 'NoOpinion', reason };
}

async function matchQuestion(
  { settings, clock, metrics, conditionWork }: WebhookAuthorizerOptions,
  spec: SubjectAccessReviewSpec,
  signal: AbortSignal,
): Promise<{ readonly matches: boolean; readonly error?: string }> {
  const { matchConditions } = settings;
  if (matchConditions.length === 0) return { matches: true };
  const startMs = clock.monotonicMs();
  let turnStartMs = startMs;
  const pause = () => {
    if (clock.monotonicMs() - turnStartMs < turnMs) return undefined;
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        turnStartMs = clock.monotonicMs();
        resolve();
      });
    });
  };
  let result: Awaited<ReturnType<typeof evaluateMatchConditions>>;
  try {
    result = await evaluateMatchConditions(matchConditions, spec, { pause, work: conditionWork, signal });
  } catch (failure) {
    // The other thread had too much to do, or gave up.
    result = { matches: false, hasErrors: true, error: failure instanceof Error ? failure.message : String(failure) };
  }
  const isExcluded = !result.matches && result.error === undefined;
  metrics.matched({ isExcluded, hasErrors: result.hasErrors }, (clock.monotonicMs() - startMs) / 1000);
  return result;
}

function createCaller({ settings, webhook, clock, random, metrics }: WebhookAuthorizerOptions) {
  const { timeoutMs, reviewVersion, failurePolicy } = settings;
  let calls = 0;
  const callOnce = async (review: object, signal: AbortSignal): Promise<Verdict> => {
    const startMs = clock.monotonicMs();
    const count = (result: EvaluationResult) => metrics.called(result, (clock.monotonicMs() - startMs) / 1000);
    try {
      const verdict = readVerdict(await webhook.post(review, { signal, timeoutMs }), reviewVersion);
      count('success');
      return verdict;
    } catch (error) {
      count(resultOf(error, signal));
      throw error;
    }
  };
  return async (spec: SubjectAccessReviewSpec, signal: AbortSignal): Promise<Verdict> => {
    if (calls >= maxCalls) throw new WebhookError(`more than ${maxCalls} requests wait for the webhook`);
    calls++;
    try {
      const review = reviewOf(spec, reviewVersion);
      return await retryWebhook(() => callOnce(review, signal), { clock, random, signal });
    } catch (error) {
      if (failurePolicy === 'NoOpinion' && !signal.aborted) metrics.failedOpen(resultOf(error, signal));
      throw error;
    } finally {
      calls--;
    }
  };
}

function resultOf(error: unknown, signal: AbortSignal): EvaluationResult {
  if (signal.aborted) return 'canceled';
  return error instanceof WebhookError && error.isTimeout ? 'timeout' : 'error';
}

/** In v1beta1 the groups are called `group`. */
function reviewOf(spec: SubjectAccessReviewSpec, version: WebhookSettings['reviewVersion']): object {
  const { groups, ...rest } = spec;
  return {
    kind: 'SubjectAccessReview',
    apiVersion: `authorization.k8s.io/${version}`,
    metadata: {},
    spec: version === 'v1' || groups === undefined ? spec : { ...rest, group: groups },
    status: { allowed: false },
  };
}

/** Reads the decision from an answer. Throws a WebhookError for an answer that is not a review, in the words of upstream's decoder. */
function readVerdict(answer: unknown, version: WebhookSettings['reviewVersion']): Verdict {
  const refuse = (message: string) => new WebhookError(message, { statusCode: 200 });
  if (!isJSONObject(answer)) {
    const goType = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    throw refuse(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${describeJSON(answer)} into Go value of type ${goType}`,
    );
  }
  const wanted = `authorization.k8s.io/${version}`;
  const { kind = 'SubjectAccessReview', apiVersion = wanted, status } = answer;
  if (kind !== 'SubjectAccessReview' || apiVersion !== wanted) {
    const text = String(apiVersion);
    if (!knownVersions.has(text))
      throw refuse(`no kind ${quote(String(kind))} is registered for version ${quote(text)} in scheme ${quote(schemeName)}`);
    throw refuse(`converting (${text.split('/').at(-1)}.${String(kind)}) to (${version}.SubjectAccessReview): unknown conversion`);
  }
  const { allowed, denied, reason } = isJSONObject(status) ? status : {};
  const field = (name: string) => `Go struct field SubjectAccessReviewStatus.status.${name}`;
  for (const [name, value] of Object.entries({ allowed, denied })) {
    if (value !== undefined && value !== null && typeof value !== 'boolean')
      throw refuse(`json: cannot unmarshal ${describeJSON(value)} into ${field(name)} of type bool`);
  }
  if (reason !== undefined && reason !== null && typeof reason !== 'string')
    throw refuse(`json: cannot unmarshal ${describeJSON(reason)} into ${field('reason')} of type string`);
  return { allowed: allowed === true, denied: denied === true, reason: typeof reason === 'string' ? reason : '' };
}

interface VerdictCache {
  find(key: string): Verdict | undefined;
  keep(key: string, verdict: Verdict, ttlMs: number): void;
}

function createVerdictCache(clock: Clock): VerdictCache {
  const cache = new LRUCache<string, Verdict>({ max: maxVerdicts, ttl: 1, ttlResolution: 0, perf: { now: () => 1 + clock.monotonicMs() } });
  return { find: (key) => cache.get(key), keep: (key, verdict, ttl) => void cache.set(key, verdict, { ttl }) };
}

/** A cache key of constant length, since names and selectors are chosen by users. */
function keyOf(spec: SubjectAccessReviewSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('base64');
}

function isCacheable({ resourceAttributes, nonResourceAttributes }: SubjectAccessReviewSpec, { reason }: Verdict): boolean {
  return reason.length < maxCachedLength && JSON.stringify(resourceAttributes ?? nonResourceAttributes ?? {}).length < maxCachedLength;
}
