import type { Clock } from '../../../api/base/clock.ts';
import { decodeBase64 } from '../../../api/base/base64.ts';
import { isConditionTrue } from '../../../api/meta/conditions.ts';
import { serviceUnavailable } from '../../../api/meta/status-errors.ts';
import { StatusError } from '../../../api/meta/status.ts';
import type { ServiceEndpoint } from '../services/resolve-service.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { RequestContext } from '../request/request-context.ts';
import { plainResponse } from '../responses/error-response.ts';
import type { ServiceCaller, ServiceReference } from '../services/service-caller.ts';
import type { TLSSettings } from '../services/secure-dialer.ts';
import type { RemoteAPIService } from './delegations.ts';
import { identityHeaders } from './identity-headers.ts';

export interface ProxyDependencies {
  readonly services: ServiceCaller;
  /** How this server proves to others that it may say who its users are. */
  clientCertificate(): NonNullable<TLSSettings['clientCertificate']>;
  readonly clock: Clock;
  /** Whether a header, in lower case, may name a user: those of clients are not passed on. */
  isIdentityHeader(name: string): boolean;
  /** Whether an address and port are this server's own. */
  isOwnEndpoint(host: string, port: number): boolean;
}

const discoveryTimeoutMs = 5000;
const encoder = new TextEncoder();

/** Where the Service of an APIService is. */
export function referenceOf({ spec }: RemoteAPIService): ServiceReference {
  const { namespace = '', name = '', port = 443 } = spec.service ?? {};
  return { namespace, name, port };
}

/** Certificates of both sides. */
export function settingsOf({ spec }: RemoteAPIService, { clientCertificate }: Pick<ProxyDependencies, 'clientCertificate'>): TLSSettings {
  const { caBundle, insecureSkipTLSVerify = false } = spec;
  return {
    ...(caBundle ? { caPEM: Buffer.from(decodeBase64(caBundle)).toString('latin1') } : {}),
    insecureSkipTLSVerify,
    clientCertificate: clientCertificate(),
  };
}

/** Where the Service leads at the moment. Throws where it leads nowhere, or to this server itself, which would pass a request on for ever. */
export function endpointOf(service: ServiceReference, { services, isOwnEndpoint }: Pick<ProxyDependencies, 'services' | 'isOwnEndpoint'>) {
  const endpoint = services.resolve(service);
  if (isOwnEndpoint(endpoint.host, endpoint.port))
    throw serviceUnavailable(`the endpoint ${placeOf(endpoint)} is of this API server itself`);
  return endpoint;
}

/** As in a URL. */
export function placeOf({ host, port }: ServiceEndpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Proxies a request to the Service of an APIService, with the user's name in place of the credentials. Neither request nor answer is
 * buffered. The answer for an unavailable or unreachable Service is text, as upstream's.
 */
export async function passOn(context: RequestContext, apiService: RemoteAPIService, dependencies: ProxyDependencies): Promise<APIResponse> {
  const { info, signal } = context;
  context.isDelegated = true;
  const service = referenceOf(apiService);
  const endpoint = isConditionTrue(apiService.status?.conditions, 'Available') ? findEndpoint(service, dependencies) : undefined;
  if (!endpoint) return unavailable();
  // The watch holds no seat: sending the initial objects is the other server's work.
  context.watchInitialized?.();
  const call = new AbortController();
  const onAbort = () => call.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const isDiscovery = !info.isResourceRequest && info.path.split('/').filter((part) => part !== '').length === 3;
  const expire = () => call.abort(new Error('context deadline exceeded'));
  const timer = isDiscovery ? dependencies.clock.setTimer(discoveryTimeoutMs, expire, { background: true }) : undefined;
  try {
    const target = { ...service, ...settingsOf(apiService, dependencies), endpoint };
    const answer = await dependencies.services.send(
      target,
      outgoing(context, placeOf(endpoint), dependencies.isIdentityHeader, call.signal),
    );
    return checked(answer, context, () => call.abort());
  } catch (error) {
    if (signal.aborted) throw error;
    const isPlain = error instanceof StatusError || wantsUpgrade(context);
    const reason: unknown = call.signal.aborted ? call.signal.reason : error;
    return plainResponse(
      503,
      `${isPlain ? '' : 'error trying to reach service: '}${reason instanceof Error ? reason.message : String(reason)}\n`,
    );
  } finally {
    timer?.cancel();
  }
}

function findEndpoint(service: ServiceReference, dependencies: ProxyDependencies): ServiceEndpoint | undefined {
  try {
    return endpointOf(service, dependencies);
  } catch {
    // There is no Service, or nothing behind it.
    return undefined;
  }
}

function wantsUpgrade({ request }: RequestContext): boolean {
  return request.canUpgrade === true && request.headers['upgrade'] !== undefined;
}

function unavailable(): APIResponse {
  return plainResponse(503, 'service unavailable\n');
}

function outgoing(
  { request, info, query, user, auditID }: RequestContext,
  place: string,
  isIdentityHeader: (name: string) => boolean,
  signal: AbortSignal,
) {
  const { host: _host, ...others } = request.headers;
  const headers = Object.fromEntries(Object.entries(others).filter(([name]) => !isIdentityHeader(name)));
  const path = encodePath(info.path);
  const sorted = new URLSearchParams(query);
  sorted.sort();
  const before = headers['x-forwarded-for'];
  const sender = request.peer?.address;
  const forwardedFor = [before, sender].filter((part) => part !== undefined && part !== '').join(', ');
  return {
    method: request.method,
    path,
    query: sorted.toString(),
    headers,
    ownHeaders: {
      ...identityHeaders(user),
      ...(forwardedFor === '' ? {} : { 'x-forwarded-for': forwardedFor }),
      ...{ 'x-forwarded-host': place, 'x-forwarded-proto': 'https', 'x-forwarded-uri': path, 'audit-id': auditID },
    },
    ...(request.body ? { body: request.body } : {}),
    ...(request.incoming ? { incoming: request.incoming } : {}),
    canUpgrade: request.canUpgrade === true,
    signal,
  };
}

/**
 * The path as it was understood here, when the request was authorized, written anew: the other server must not understand it in
 * another way.
 */
function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part.toWellFormed()).replace(/%(24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent))
    .join('/');
}

const redirectText = 'the backend attempted to redirect this request, which is not permitted';
const removedHeaders = /^(audit-id$|access-control-allow-(credentials|headers|methods|origin)$)/;

/** `end` ends an answer of which nothing is wanted. */
function checked(answer: APIResponse, context: RequestContext, end: () => void): APIResponse {
  const { status, headers } = answer;
  if (wantsUpgrade(context) && status !== 101 && status < 400) {
    end();
    return plainResponse(503, `invalid upgrade response: status code ${status}\n`);
  }
  if (status >= 300 && status <= 399 && headers['location'] !== undefined) {
    end();
    const text = { 'content-type': 'text/plain; charset=utf-8' };
    return { status: 502, headers: text, body: { kind: 'bytes', bytes: encoder.encode(redirectText) } };
  }
  return { ...answer, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !removedHeaders.test(name))) };
}
