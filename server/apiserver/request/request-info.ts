import { parseFieldSelector } from '../../../api/selectors/field-selector.ts';
import { SelectorError } from '../../../api/selectors/label-selector.ts';
import type { RequestInfo } from './request-context.ts';

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Subresources of a Namespace itself: in a path below a namespace they are no resources. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** Undoes percent-encoding; bytes that are no UTF-8 become replacement characters. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    const bytes = path.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }
}

const brokenEscape = /%(?![\da-f]{2})/i;

/** Parses a query as Go does: a parameter with a semicolon or a broken escape is left out. */
export function parseQuery(text: string): URLSearchParams {
  const isReadable = (part: string) => !part.includes(';') && !(part.includes('%') && brokenEscape.test(part));
  return new URLSearchParams(isReadable(text) ? text : text.split('&').filter(isReadable).join('&'));
}

/** Several slashes at the beginning count as one, and nothing is served at such a path. */
const manySlashes = /^(?:\/|%2f){2}/i;

/** The separators of segments: upstream decodes a path before it splits it, so an escaped slash is a slash. */
const separator = /\/|%2f/gi;

/** The segments of a path, percent-decoded; slashes at either end count for nothing. The only place where a path is taken apart. */
function segmentsOf(path: string): string[] {
  const segments = path.split(separator).map(decodePath);
  while (segments.at(-1) === '') segments.pop();
  const first = segments.findIndex((segment) => segment !== '');
  return first < 0 ? [] : segments.slice(first);
}

/** Splits a path, as it was written, behind that many segments. The second part begins with a separator or is empty. */
export function splitPath(path: string, segments: number): readonly [prefix: string, rest: string] {
  const separators = path.matchAll(separator).drop(segments);
  const at = separators.next().value?.index ?? path.length;
  return [path.slice(0, at), path.slice(at)];
}

/**
 * Reads the attributes of a request from its method, path and query, as upstream's RequestInfoFactory reads it. A slash too many
 * inside the path leaves an empty segment, under which nothing is served.
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const decoded = segmentsOf(path);
  const nonResource: RequestInfo = {
    isResourceRequest: false,
    path: decodePath(path),
    verb: method.toLowerCase(),
    apiPrefix: '',
    apiGroup: '',
    apiVersion: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    parts: [],
    depth: 0,
    isWatchPath: false,
    isProxyPath: false,
    leadsNowhere: false,
    isBelowNamespace: false,
  };
  const [apiPrefix = ''] = decoded;
  const isGrouped = apiPrefix === 'apis';
  if ((apiPrefix !== 'api' && !isGrouped) || decoded.length < (isGrouped ? 4 : 3)) return nonResource;
  const apiGroup = isGrouped ? (decoded[1] ?? '') : '';
  const apiVersion = decoded[isGrouped ? 2 : 1] ?? '';
  let rest = decoded.slice(isGrouped ? 3 : 2);
  let verb = verbs[method] ?? '';
  const isWatchPath = rest[0] === 'watch' && rest.length > 1;
  const isProxyPath = rest[0] === 'proxy' && rest.length > 1;
  if (isWatchPath || isProxyPath) {
    verb = rest[0] ?? '';
    rest = rest.slice(1);
  }
  const { namespace, parts } = splitNamespace(rest);
  const isBelowNamespace = parts.length < rest.length;
  const [resource = '', name = '', third = ''] = parts;
  const subresource = isProxyPath ? '' : third;
  return {
    ...nonResource,
    isResourceRequest: true,
    verb: collectionVerb(verb, name, query),
    apiPrefix,
    apiGroup,
    apiVersion,
    namespace,
    resource,
    name: name === '' ? nameFromSelector(verb, query) : name,
    subresource,
    parts,
    depth: decoded.length - parts.length,
    isWatchPath,
    isBelowNamespace,
    isProxyPath,
    leadsNowhere: (isGrouped && apiGroup === '') || manySlashes.test(path),
  };
}

function splitNamespace(rest: readonly string[]): { namespace: string; parts: readonly string[] } {
  const [first, namespace = '', third] = rest;
  if (first !== 'namespaces' || rest.length === 1) return { namespace: '', parts: rest };
  if (third !== undefined && !namespaceSubresources.has(third)) return { namespace, parts: rest.slice(2) };
  return { namespace, parts: rest };
}

function collectionVerb(verb: string, name: string, query: URLSearchParams): string {
  // A watch of one object by its path is a get, whatever the query says; one object is watched by a selector of its name.
  if (name !== '') return verb;
  if (verb === 'get') return isTrue(query.get('watch')) ? 'watch' : 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

/** Go's form decoder for booleans: present without a value counts as true. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A list or watch with a field selector for one name is authorized for that name, as upstream does for RBAC's resourceNames. */
function nameFromSelector(verb: string, query: URLSearchParams): string {
  const selector = verb === 'get' ? query.get('fieldSelector') : null;
  if (selector === null) return '';
  try {
    const name = parseFieldSelector(selector).requiredValue('metadata.name') ?? '';
    return isPathSegment(name) ? name : '';
  } catch (error) {
    if (error instanceof SelectorError) return '';
    throw error;
  }
}

function isPathSegment(name: string): boolean {
  return name !== '.' && name !== '..' && !/[/%]/.test(name);
}
