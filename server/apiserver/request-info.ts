import type { RequestInfo } from './request-context.ts';

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Below a namespace these belong to the namespace itself. */
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

/** As Go reads a query: a parameter with a semicolon or a broken escape is as if it were not there. */
export function parseQuery(text: string): URLSearchParams {
  const isReadable = (part: string) => !part.includes(';') && !(part.includes('%') && brokenEscape.test(part));
  return new URLSearchParams(isReadable(text) ? text : text.split('&').filter(isReadable).join('&'));
}

/**
 * Reads what a request is about from its method, path and query, as upstream's RequestInfoFactory does. The path is
 * decoded before it is split: an escaped slash is a slash. Slashes at its end count for nothing, but one too many inside
 * leaves an empty part, under which nothing is served.
 */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const decodedPath = decodePath(path);
  const decoded = decodedPath.replace(/^\/|\/+$/g, '').split('/');
  const nonResource: RequestInfo = {
    isResourceRequest: false,
    path: decodedPath,
    verb: method.toLowerCase(),
    apiPrefix: '',
    apiGroup: '',
    apiVersion: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    parts: [],
  };
  const [apiPrefix = ''] = decoded;
  const isGrouped = apiPrefix === 'apis';
  if ((apiPrefix !== 'api' && !isGrouped) || decoded.length < (isGrouped ? 4 : 3)) return nonResource;
  const apiGroup = isGrouped ? (decoded[1] ?? '') : '';
  if (isGrouped && apiGroup === '') return nonResource;
  const apiVersion = decoded[isGrouped ? 2 : 1] ?? '';
  let rest = decoded.slice(isGrouped ? 3 : 2);
  let verb = verbs[method] ?? '';
  const isWatchPath = rest[0] === 'watch' && rest.length > 1;
  if (isWatchPath) {
    rest = rest.slice(1);
    verb = 'watch';
  }
  const { namespace, parts } = splitNamespace(rest);
  const [resource = '', name = '', subresource = ''] = parts;
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
  };
}

function splitNamespace(rest: readonly string[]): { namespace: string; parts: readonly string[] } {
  const [first, namespace = '', third] = rest;
  if (first !== 'namespaces' || rest.length === 1) return { namespace: '', parts: rest };
  if (third !== undefined && !namespaceSubresources.has(third)) return { namespace, parts: rest.slice(2) };
  return { namespace, parts: rest };
}

function collectionVerb(verb: string, name: string, query: URLSearchParams): string {
  // One object is watched by a selector of its name: what is asked for by its path is got, whatever the query says.
  if (name !== '') return verb;
  if (verb === 'get') return isTrue(query.get('watch')) ? 'watch' : 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

/** Go's form decoder for booleans: present without a value counts as true. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A list or watch narrowed to one name is authorized as that name (upstream does so, RBAC resourceNames need it). */
function nameFromSelector(verb: string, query: URLSearchParams): string {
  if (verb !== 'get' && verb !== 'watch') return '';
  const selector = query.get('fieldSelector');
  const match = selector === null ? null : /^metadata\.name==?([^,=!\\]+)$/.exec(selector);
  return match?.[1] ?? '';
}
