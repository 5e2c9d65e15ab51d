import { quote } from '../../../../api/base/quote.ts';
import { badRequest } from '../../../../api/meta/status-errors.ts';
import { type Status, StatusError } from '../../../../api/meta/status.ts';
import { qualifiedNameProblems } from '../../../../api/validation/names.ts';
import { WebhookError } from '../../webhooks/review-webhook.ts';
import type { AdmissionDependencies, AdmissionRequest } from '../admission.ts';
import type { MatchedResource } from '../matching/match-request.ts';
import {
  checkAnswer,
  findReviewVersion,
  formatReview,
  InvalidAnswer,
  parseAnswer,
  type ReviewedObjects,
  UnreadableAnswer,
} from './admission-review.ts';
import type { CompiledWebhook } from './compile-webhooks.ts';
import type { AdmissionResponse } from './review-schema.ts';

/** The failure of a webhook that could not be called or gave no valid answer: its failurePolicy decides on the request. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  /** The code under which metrics count the failure. */
  readonly code: number;
  /** Whether the client was gone before the answer came. */
  readonly isCanceled: boolean;

  constructor(webhook: string, reason: string, code: number, isCanceled = false) {
    super(`failed calling webhook ${quote(webhook)}: ${reason}`);
    this.code = code;
    this.isCanceled = isCanceled;
  }
}

type CallDependencies = Pick<AdmissionDependencies, 'hooks' | 'random' | 'clock'>;

/**
 * Calls a webhook, and passes on its warnings and audit annotations. Resolves with a response that allows the request; throws a StatusError
 * if it is denied, and a CallFailure.
 */
export async function callWebhook(
  { webhook }: CompiledWebhook,
  isMutating: boolean,
  request: AdmissionRequest,
  matched: MatchedResource,
  objects: ReviewedObjects,
  { hooks, random, clock }: CallDependencies,
): Promise<AdmissionResponse> {
  const { name, sideEffects } = webhook;
  if (request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw refuseDryRun(name, sideEffects);
  const version = findReviewVersion(webhook.admissionReviewVersions);
  if (!version) {
    const reason = 'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)';
    throw new CallFailure(name, reason, 400);
  }
  const uid = random.uuid();
  const body = formatReview(version, uid, request, matched, objects);
  const timeoutMs = Math.min(
    webhook.timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : webhook.timeoutSeconds * 1000,
    request.deadlineMs === undefined ? maxTimeoutMs : Math.max(1, request.deadlineMs - clock.monotonicMs()),
  );
  const response = await post();
  if (response.patch && response.allowed && response.patchType !== 'JSONPatch')
    throw new CallFailure(name, `unsupported patch type ${quote(response.patchType ?? '')}`, 400);
  tellOf(name, response, request);
  if (!response.allowed) throw denied(name, response.status);
  return response;

  async function post(): Promise<AdmissionResponse> {
    try {
      const options = { signal: request.signal, timeoutMs, userAgent: 'kube-apiserver-admission' };
      const answer = parseAnswer(await hooks.post(webhook.clientConfig, body, options));
      return check(answer);
    } catch (error) {
      if (error instanceof UnreadableAnswer) throw new CallFailure(name, `failed to call webhook: ${error.message}`, 400);
      if (!(error instanceof WebhookError)) throw error;
      throw new CallFailure(name, `failed to call webhook: ${error.message}`, error.statusCode || 400, request.signal.aborted);
    }
  }

  function check(answer: ReturnType<typeof parseAnswer>): AdmissionResponse {
    try {
      return checkAnswer(answer, { version: version ?? 'v1', uid, isMutating });
    } catch (error) {
      if (!(error instanceof InvalidAnswer)) throw error;
      throw new CallFailure(name, `received invalid webhook response: ${error.message}`, 503);
    }
  }
}

/** No call lasts longer than requests do. */
const maxTimeoutMs = 60_000;

function refuseDryRun(name: string, sideEffects: string | undefined): Error {
  if (!sideEffects) return new CallFailure(name, 'Webhook SideEffects is nil', 400);
  return badRequest(`admission webhook ${quote(name)} does not support dry run`);
}

/** Warnings with control characters are dropped, since a header cannot contain them. */
const controls = /\p{Cc}/u;

function tellOf(name: string, { auditAnnotations = {}, warnings = [] }: AdmissionResponse, request: AdmissionRequest): void {
  for (const [key, value] of Object.entries(auditAnnotations)) {
    const full = `${name}/${key}`;
    if (qualifiedNameProblems(full).length === 0) request.annotate?.(full, value);
  }
  for (const warning of warnings) if (!controls.test(warning)) request.addWarning(warning);
}

/** The Status of a webhook, with the fields that make it a failure. */
function denied(webhook: string, given: Partial<Status> | undefined): StatusError {
  const by = `admission webhook ${quote(webhook)} denied the request`;
  const { message = '', reason = '', code = 0, status = '', details } = given ?? {};
  const text = message === '' ? (reason === '' ? `${by} without explanation` : `${by}: ${reason}`) : `${by}: ${message}`;
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: given?.metadata ?? {},
    status: status === '' || status === 'Success' ? 'Failure' : status,
    message: text,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: code < 400 ? 400 : code,
  } as Status);
}
