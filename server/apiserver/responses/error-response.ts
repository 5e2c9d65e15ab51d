import { quote } from '../../../api/base/quote.ts';
import type { APIRequest, APIResponse } from '../../../api/client/transport.ts';
import { hasReason, type Status } from '../../../api/meta/status.ts';
import { jsonMediaType, type MediaType } from '../../../api/serialization/media-types.ts';
import { negotiateOutput, type NegotiatedOutput } from '../../../api/serialization/negotiate.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import { formatYAML } from '../../../api/serialization/yaml.ts';

const encoder = new TextEncoder();

/** The only place where a Status is converted into an HTTP response. */
export function errorResponse(status: Status, request: APIRequest): APIResponse {
  const { mediaType, pretty } = negotiateError(request);
  const headers: Record<string, string> = { 'content-type': mediaType.name, 'cache-control': 'no-cache, private' };
  if (status.details?.retryAfterSeconds) headers['retry-after'] = String(status.details.retryAfterSeconds);
  const bytes = encodeStatus(status, mediaType, pretty || wantsPretty(request));
  return { status: status.code, headers, body: { kind: 'bytes', bytes, object: () => status } };
}

/** The output of an error, JSON if the client takes no other: an error must not be hidden behind a client's Accept header. */
function negotiateError({ headers }: APIRequest): NegotiatedOutput {
  try {
    return negotiateOutput(headers['accept']);
  } catch (error) {
    if (hasReason(error, 'NotAcceptable')) return { mediaType: jsonMediaType, pretty: false };
    throw error;
  }
}

function encodeStatus(status: Status, mediaType: MediaType, pretty: boolean): Uint8Array {
  switch (mediaType.name) {
    case 'application/json':
      return encoder.encode(pretty ? JSON.stringify(status, undefined, 2) : `${JSON.stringify(status)}\n`);
    case 'application/yaml':
      return encoder.encode(formatYAML(status));
    case 'application/vnd.kubernetes.protobuf':
      return encodeProtobuf(status);
  }
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

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** The 500 for a failure before the request was let in: text, which a browser must not take for a page. */
export function internalErrorResponse({ path, query }: Pick<APIRequest, 'path' | 'query'>, message: string): APIResponse {
  const target = query === '' ? path : `${path}?${query}`;
  const text = `Internal Server Error: ${quote(target)}: ${message}\n`;
  return plainResponse(
    500,
    text.replace(/[&<>]/g, (character) => entities[character] ?? character),
  );
}
