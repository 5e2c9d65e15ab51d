import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { WebhookClientConfig } from '../../../api/types/admissionregistration-v1.ts';
import type { SecureDialer, SecureRequest, TLSSettings } from '../services/secure-dialer.ts';
import type { ServiceCaller } from '../services/service-caller.ts';
import type { HookUsers } from './hook-users.ts';
import { WebhookError } from './review-webhook.ts';
import { AnswerBudget, describeFailure, formatSeconds, readBounded, untilAborted } from './webhook-answer.ts';

interface HookCallOptions {
  /** Ends the call when its result is no longer needed. */
  readonly signal: AbortSignal;
  /** How long the call may take, the reading of its answer included. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** Absent: no webhook is shown credentials. */
  readonly users?: HookUsers;
}

/** Calls the webhooks that configurations in the cluster name: by URL, or by Service. */
export interface HookCaller {
  /** Posts JSON. Resolves with the body of an answer of success; rejects with a WebhookError in the words of a kube-apiserver. */
  post(config: DeepReadonly<WebhookClientConfig>, body: Uint8Array, options: HookCallOptions): Promise<Uint8Array>;
}

/** The calls of `hooks` with credentials. */
export function withHookUsers(hooks: HookCaller, users: HookUsers): HookCaller {
  return { post: (config, body, options) => hooks.post(config, body, { ...options, users }) };
}

interface HookCallerDependencies {
  readonly services: Pick<ServiceCaller, 'send'>;
  readonly dialer: SecureDialer;
  readonly clock: Clock;
}

/** A review echoed with its object, and a patch of that size: more is no answer to a request of at most 3 MiB. */
const maxAnswerBytes = 8 * 1024 * 1024;
const maxHeldBytes = 64 * 1024 * 1024;

export function createHookCaller({ services, dialer, clock }: HookCallerDependencies): HookCaller {
  const budget = new AnswerBudget(maxHeldBytes);
  return {
    async post(config, body, { signal, timeoutMs, userAgent, users }) {
      const place = placeOf(config);
      const query = `timeout=${formatSeconds(Math.ceil(timeoutMs / 1000) * 1000)}`;
      const limit = new AbortController();
      const timer = clock.setTimer(timeoutMs, () => limit.abort(new WebhookError('context deadline exceeded')), { background: true });
      const onAbort = () => limit.abort(new WebhookError('context canceled'));
      signal.addEventListener('abort', onAbort, { once: true });
      const request: SecureRequest = {
        ...{ method: 'POST', path: place.path, query, body, signal: limit.signal, headers: {} },
        ownHeaders: {
          ...{ host: place.host, 'user-agent': userAgent, 'content-length': String(body.length) },
          ...{ 'content-type': 'application/json', accept: 'application/json, */*' },
        },
      };
      try {
        if (signal.aborted) onAbort();
        limit.signal.throwIfAborted();
        const answer = await untilAborted(send(config, place, request, users, { services, dialer }), limit.signal);
        return await readAnswer(answer, limit.signal, budget);
      } catch (error) {
        throw interpret(error, `https://${place.host}${place.path}?${query}`, limit.signal);
      } finally {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        // An answer that was not read to its end must not keep its connection.
        limit.abort();
      }
    },
  };
}

interface Place {
  /** The host as in the URL and the Host header, with the port if one is named. */
  readonly host: string;
  readonly path: string;
}

const defaultPort = 443;

function placeOf({ url, service }: DeepReadonly<WebhookClientConfig>): Place {
  if (service)
    return { host: `${service.name}.${service.namespace}.svc:${service.port ?? defaultPort}`, path: withSlash(service.path ?? '') };
  if (url === undefined || !URL.canParse(url)) throw new WebhookError('webhook configuration must have either service or URL');
  const { host, pathname } = new URL(url);
  return { host, path: pathname };
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

async function send(
  { url, service, caBundle }: DeepReadonly<WebhookClientConfig>,
  { host, path }: Place,
  unsigned: SecureRequest,
  users: HookUsers | undefined,
  { services, dialer }: Pick<HookCallerDependencies, 'services' | 'dialer'>,
): Promise<APIResponse> {
  const { hostname, port } = new URL(url ?? `https://${host}${path}`);
  const target = {
    host: service ? `${service.name}.${service.namespace}.svc` : hostname.replace(/^\[|\]$/g, ''),
    port: service ? (service.port ?? defaultPort) : port === '' ? defaultPort : Number(port),
  };
  const user = await users?.find(target.host, target.port);
  const tls: TLSSettings = {
    ...(caBundle ? { caPEM: Buffer.from(caBundle, 'base64').toString() } : {}),
    ...(user?.clientCertificate ? { clientCertificate: user.clientCertificate } : {}),
  };
  const { authorization } = user ?? {};
  const request = authorization === undefined ? unsigned : { ...unsigned, ownHeaders: { ...unsigned.ownHeaders, authorization } };
  if (service) return services.send({ ...{ namespace: service.namespace, name: service.name, port: target.port }, ...tls }, request);
  return dialer.send({ ...target, serverName: target.host, ...tls }, request);
}

async function readAnswer({ status, headers, body }: APIResponse, signal: AbortSignal, budget: AnswerBudget): Promise<Uint8Array> {
  const bytes = await readBounded(body, maxAnswerBytes, signal, budget).catch((error: unknown) => {
    const reason: unknown = signal.aborted ? signal.reason : error;
    if (reason instanceof WebhookError && !signal.aborted) throw reason;
    const text = reason instanceof Error && reason.message !== 'aborted' ? reason.message : 'unexpected EOF';
    throw new BrokenBody(`unexpected error when reading response body. Please retry. Original error: ${text}`, {
      isTimeout: signal.aborted,
    });
  });
  if (status < 200 || status > 206) throw describeFailure(status, headers, bytes);
  if (bytes.length === 0)
    throw new WebhookError(
      `0-length response with status code: ${status} and content type: ${headers['content-type'] ?? 'application/json'}`,
    );
  return bytes;
}

/** A failure after the answer has begun. */
class BrokenBody extends WebhookError {}

function interpret(error: unknown, url: string, signal: AbortSignal): WebhookError {
  const isTimeout = signal.aborted;
  if (error instanceof BrokenBody) return error;
  if (error instanceof WebhookError && (error.statusCode !== 0 || !isTimeout)) return error;
  const reason: unknown = isTimeout ? signal.reason : error;
  const text = reason instanceof Error ? reason.message : String(reason);
  return new WebhookError(`Post ${JSON.stringify(url)}: ${text}`, {
    ...{ isTimeout, cause: error },
    ...(error instanceof StatusError ? { statusCode: error.code } : {}),
  });
}
