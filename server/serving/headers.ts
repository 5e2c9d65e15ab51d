import type { IncomingHttpHeaders } from 'node:http';
import type { APIRequest } from '../../api/client/transport.ts';

/** Headers that concern one connection only (RFC 9110 7.6.1); HTTP/2 forbids them (RFC 9113 8.2.2). */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const nonASCII = /[^\x20-\x7e\t]/;
const invalidValue = /[^\t -~\u0080-\uffff]/g;
const validName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Node decodes header values as Latin-1; API clients send UTF-8. */
function decodeValue(value: string): string {
  return nonASCII.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;
}

/** A value as node writes it: its octets are those of UTF-8. */
export function encodeValue(value: string): string {
  if (!nonASCII.test(value)) return value;
  return Buffer.from(value.replace(invalidValue, ' '), 'utf8').toString('latin1');
}

/** Request headers in the form of an APIRequest: without pseudo headers, repeated ones joined by a comma. */
export function readHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    result[name] = decodeValue(Array.isArray(value) ? value.join(', ') : value);
  }
  const authority = headers[':authority'];
  if (result['host'] === undefined && typeof authority === 'string') result['host'] = authority;
  return result;
}

const identifying = /^(x-remote-|impersonate-)/;

/**
 * The values of repeated identity headers, each by itself, since a group may have a comma in its name. undefined if there are none. `raw`
 * is Node's list of alternating names and values.
 */
function readRepeatedHeaders(headers: Readonly<Record<string, string>>, raw: readonly string[]): Record<string, string[]> | undefined {
  if (!Object.keys(headers).some((name) => identifying.test(name))) return undefined;
  const lines: Record<string, string[]> = Object.create(null);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    if (identifying.test(name)) (lines[name] ??= []).push(decodeValue(raw[at + 1] ?? ''));
  }
  return lines;
}

/** Headers of a request as an APIRequest has them. */
export function requestHeaders(request: {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}): Pick<APIRequest, 'headers' | 'repeatedHeaders'> {
  const headers = readHeaders(request.headers);
  const repeatedHeaders = readRepeatedHeaders(headers, request.rawHeaders);
  return { headers, ...(repeatedHeaders ? { repeatedHeaders } : {}) };
}

/**
 * Response headers for the wire, without connection headers and without headers that cannot be written. Several cookies, which must not be
 * joined by commas, are one header with several lines.
 */
export function writableHeaders(headers: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {};
  const named = namedByConnection(headers);
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || named?.has(name) || !validName.test(name)) continue;
    result[name] = name === 'set-cookie' ? value.split('\n').map(encodeValue) : encodeValue(value);
  }
  return result;
}

/** Headers that the connection header declares to be hop-by-hop too; undefined, as almost always, if there is none. */
function namedByConnection({ connection }: Readonly<Record<string, string>>): ReadonlySet<string> | undefined {
  return connection === undefined ? undefined : new Set(connection.toLowerCase().split(/\s*,\s*/));
}

/** Removes headers that concern only one connection, before a request or response is passed on. */
export function endToEndHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const named = namedByConnection(headers);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named?.has(name)));
}
