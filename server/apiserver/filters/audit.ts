import { isIP } from 'node:net';
import { internalError } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { AuditBackend } from '../audit/audit-backend.ts';
import { type AuditEvent, shortenUserAgent } from '../audit/audit-event.ts';
import { type AuditDecision, type AuditPolicy, type AuditStage, decideAudit } from '../audit/audit-policy.ts';
import { createAuditRecord } from '../audit/audit-record.ts';
import type { Filter, RequestContext } from '../request/request-context.ts';
import { attributesWithoutSelectors } from './authorization.ts';
import { nobody } from '../request/create-context.ts';
import { formatDuration } from '../../../api/meta/duration.ts';
import { copyBody, noteFailure, noteResponse, noteText } from '../audit/audit-response.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';

export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly backend: AuditBackend;
}

/**
 * Records requests by the audit policy: when a request arrives, when its answer begins (if it is long-running), and when it is complete.
 */
export function audit(options: AuditOptions | undefined): Filter {
  if (options === undefined) return (next) => next;
  const { policy, backend } = options;
  return (next) => async (context) => {
    const decision = decideAudit(policy, attributesWithoutSelectors(context));
    if (decision.level === 'None') return next(context);
    const event = eventOf(context, decision);
    context.audit = createAuditRecord(event, decision);
    context.audit.addLatency('authentication', context.authenticationMs);
    const tell = recorder(backend, context, event, decision);
    try {
      await tell('RequestReceived');
    } catch {
      throw internalError('failed to store audit event');
    }
    const isLong = isLongRunning(context.info);
    let response: APIResponse;
    try {
      response = await next(context);
    } catch (error) {
      noteFailure(event, error, decision);
      if (isLong) await tell('ResponseStarted').catch(() => undefined);
      await tell('ResponseComplete').catch(() => undefined); // the answer stands already
      throw error;
    }
    // As upstream, the answer of another server is not parsed: its text may be anything, and not even JSON.
    if (context.isDelegated) event.responseStatus = { code: response.status };
    else noteResponse(event, response, decision);
    if (isLong) await tell('ResponseStarted').catch(() => undefined);
    if (response.body.kind !== 'stream' && !response.upgrade) {
      await tell('ResponseComplete').catch(() => undefined);
      return response;
    }
    const copy = isLong || context.isDelegated ? undefined : copyBody(response, decision);
    const startMs = context.clock.monotonicMs();
    return onBodyEnd(copy?.response ?? response, () => {
      context.audit?.addLatency('response-write', context.clock.monotonicMs() - startMs);
      if (copy) noteText(event, copy.text(), decision);
      void tell('ResponseComplete').catch(() => undefined);
    });
  };
}

/** Records requests with bad credentials, without a user. */
export function failedAuthenticationAudit(options: AuditOptions | undefined): Filter {
  if (options === undefined) return (next) => next;
  const { policy, backend } = options;
  return (next) => async (context) => {
    try {
      return await next(context);
    } catch (error) {
      const isUnknown = context.user === nobody && error instanceof StatusError && error.status.code === 401;
      const decision = isUnknown ? decideAudit(policy, attributesWithoutSelectors(context)) : undefined;
      if (decision === undefined || decision.level === 'None') throw error;
      const event = eventOf(context, decision);
      noteFailure(event, error, decision);
      await recorder(backend, context, event, decision)('ResponseStarted').catch(() => undefined);
      throw error;
    }
  };
}

function recorder(backend: AuditBackend, context: RequestContext, event: AuditEvent, { omitStages }: AuditDecision) {
  return async (stage: AuditStage): Promise<void> => {
    if (omitStages.has(stage)) return;
    const stageMs = stage === 'RequestReceived' ? event.receivedMs : context.clock.nowMs();
    if (stage === 'ResponseComplete') annotateLatencies(event, stageMs, context.waitedMs);
    await backend.record(event, stage, stageMs);
  };
}

const slowMs = 500;
const latencyPrefix = 'apiserver.latency.k8s.io/';

/** Annotates a slow request with the time that each part of the server took. */
function annotateLatencies({ annotations, latenciesMs, receivedMs }: AuditEvent, nowMs: number, waitedMs: number): void {
  if (nowMs - receivedMs <= slowMs) return;
  for (const [layer, ms] of Object.entries({ ...latenciesMs, 'apf-queue-wait': waitedMs }))
    if (ms > 0) annotations[latencyPrefix + layer] = formatDuration(ms);
  annotations[`${latencyPrefix}total`] = formatDuration(nowMs - receivedMs);
}

function eventOf(context: RequestContext, { level }: AuditDecision): AuditEvent {
  const { request, info, user } = context;
  const { namespace, name, resource, subresource, apiGroup, apiVersion } = info;
  return {
    level,
    auditID: context.auditID,
    requestURI: request.query === '' ? request.path : `${request.path}?${request.query}`,
    verb: info.verb,
    user,
    sourceIPs: sourceAddresses(context),
    userAgent: shortenUserAgent(request.headers['user-agent'] ?? ''),
    ...(info.isResourceRequest ? { objectRef: { namespace, name, resource, subresource, apiGroup, apiVersion } } : {}),
    receivedMs: context.receivedMs,
    annotations: { ...context.credentialAnnotations },
  };
}

/**
 * The addresses that proxies have added, and then the peer's: it is always the last one, since a client may send any others. A caller in
 * this process has this machine's address.
 */
function sourceAddresses({ request }: RequestContext): string[] {
  const { address = '127.0.0.1' } = request.peer ?? {};
  const forwarded = (request.headers['x-forwarded-for'] ?? '').split(',').flatMap(addressOf);
  const real = addressOf(request.headers['x-real-ip'] ?? '').filter((one) => !forwarded.includes(one));
  const named = [...forwarded, ...real];
  return [...named, ...addressOf(address).filter((one) => one !== named.at(-1))];
}

function addressOf(text: string): string[] {
  const address = text.trim().replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) !== 0 && !address.includes('%') ? [address] : [];
}
