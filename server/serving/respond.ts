import type { APIResponse } from '../../api/client/transport.ts';
import type { Status } from '../../api/meta/status.ts';

/** An answer that the edge itself gives, before there is a request for the API server. */
export function statusResponse(status: Status): APIResponse {
  const bytes = Buffer.from(`${JSON.stringify(status)}\n`);
  return { status: status.code, headers: { 'content-type': 'application/json' }, body: { kind: 'bytes', bytes } };
}

/** A plain text answer like that of Go's HTTP server to a request that it cannot parse. */
export function textResponse(status: number, text: string): APIResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: { kind: 'bytes', bytes: Buffer.from(text) } };
}
