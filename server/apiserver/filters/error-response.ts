import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';
import type { Status } from '../../../api/meta/status.ts';

const encoder = new TextEncoder();

/** The one place where a Status becomes an HTTP response. */
export function errorResponse(status: Status, request: APIRequest): APIResponse {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };
  if (status.details?.retryAfterSeconds) headers['retry-after'] = String(status.details.retryAfterSeconds);
  const text = wantsPretty(request) ? JSON.stringify(status, undefined, 2) : `${JSON.stringify(status)}\n`;
  return { status: status.code, headers, body: { kind: 'bytes', bytes: encoder.encode(text), object: () => status } };
}

/** Whether JSON is to be indented: asked for with `?pretty`, or taken for granted for browsers, curl and wget, as upstream does. */
export function wantsPretty(request: APIRequest): boolean {
  if (request.query !== '') {
    const asked = new URLSearchParams(request.query).get('pretty');
    if (asked !== null) return asked !== '0' && asked !== 'false';
  }
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers['user-agent'] ?? '');
}

/** An answer in plain text, as upstream gives where it has none in the form of a Status. */
export function plainResponse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): APIResponse {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
    body: { kind: 'bytes', bytes: encoder.encode(text) },
  };
}
