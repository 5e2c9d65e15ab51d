import { badRequest } from '../../../api/meta/status-errors.ts';
import type { RequestInfo } from '../request/request-context.ts';
import { splitPath } from '../request/request-info.ts';

/** `[scheme:]name[:port]`, how proxied Pods, Services and Nodes are named. */
interface ProxyName {
  readonly scheme: '' | 'http' | 'https';
  readonly name: string;
  /** '' where none is named. */
  readonly port: string;
}

/** Parses the name of a proxied object, with scheme and port. Throws 400 for a name that is not valid; `kind` is pod, service or node. */
export function parseProxyName(text: string, kind: string): ProxyName {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1 && first !== '') return { scheme: '', name: first, port: '' };
  if (parts.length === 2 && first !== '') return { scheme: '', name: first, port: second };
  if (parts.length === 3 && second !== '' && (first === 'http' || first === 'https' || first === ''))
    return { scheme: first, name: second, port: third };
  throw badRequest(`invalid ${kind} request ${JSON.stringify(text)}`);
}

interface ProxyPath {
  /** Path for the backend, as it was written; '' where the client named none. */
  readonly path: string;
  /** The path before it, without a slash at its end. */
  readonly prefix: string;
}

/** Returns the part of a request's path after `{resource}/{name}/proxy`; the percent-encoding of the backend's path is kept. */
export function splitProxyPath(path: string, { depth }: Pick<RequestInfo, 'depth'>): ProxyPath {
  const [prefix, rest] = splitPath(path, depth + 3);
  return { path: rest.replace(/^%2f/i, '/'), prefix };
}

/** A redirect of the backend, seen from outside: back through the proxy where it stays on the backend. */
export function rewriteLocation(location: string, prefix: string, backend: string): string {
  if (location.startsWith('/') && !location.startsWith('//')) return prefix + location;
  for (const scheme of ['http', 'https']) {
    const origin = `${scheme}://${backend}`;
    if (location === origin || location.startsWith(`${origin}/`)) return `${prefix}${location.slice(origin.length) || '/'}`;
  }
  return location;
}

/** A link in a document of the backend, seen from outside. */
export function rewriteLink(address: string, prefix: string, backend: string): string {
  return address.startsWith(`${prefix}/`) ? address : rewriteLocation(address, prefix, backend);
}
