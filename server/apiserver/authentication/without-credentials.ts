import type { APIRequest } from '../../../api/client/transport.ts';
import { withoutToken } from './web-socket-token.ts';

const identifying = /^(authorization$|x-remote-)/;

/** The request without its credentials, which nothing further on, and no backend, may see. */
export function withoutCredentials(request: APIRequest): APIRequest {
  const protocols = request.headers['sec-websocket-protocol'];
  const kept = protocols === undefined ? undefined : withoutToken(protocols);
  if (kept === protocols && !Object.keys(request.headers).some((name) => identifying.test(name))) return request;
  const stripped = withoutHeaders(request, identifying);
  const { 'sec-websocket-protocol': _protocols, ...others } = stripped.headers;
  return { ...stripped, headers: kept ? { ...others, 'sec-websocket-protocol': kept } : others };
}

/** The request without the headers whose names match. */
export function withoutHeaders(request: APIRequest, names: RegExp): APIRequest {
  const { repeatedHeaders = {} } = request;
  const isKept = ([name]: readonly [string, unknown]) => !names.test(name);
  return {
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(isKept)),
    repeatedHeaders: Object.fromEntries(Object.entries(repeatedHeaders).filter(isKept)),
  };
}
