import type { APIResponse } from '../../../api/client/transport.ts';
import { methodNotAllowed, resourceNotServed } from '../../../api/meta/status-errors.ts';
import { plainResponse } from '../responses/error-response.ts';
import type { Handler, RequestContext } from '../request/request-context.ts';
import type { DiscoveryEndpoint } from '../documents/discovery.ts';
import type { HealthEndpoint } from '../documents/health.ts';
import type { ServerMetrics } from '../documents/metrics.ts';
import type { OpenAPIEndpoint } from '../documents/openapi.ts';
import type { OpenIDDocuments } from '../documents/openid.ts';
import { checkAccept } from '../responses/route-media-types.ts';
import { type VersionInfo, versionResponse } from '../documents/version.ts';

export interface NonResourceEndpoints {
  readonly discovery: DiscoveryEndpoint;
  readonly health: HealthEndpoint;
  readonly metrics: ServerMetrics;
  readonly openAPI: OpenAPIEndpoint;
  /** Absent: there is nothing of it. */
  readonly openID: OpenIDDocuments | undefined;
  readonly version: VersionInfo;
  /** The handler of /debug. */
  readonly debug: (context: RequestContext) => APIResponse | undefined;
  /** Paths of the served groups and versions, for `/`. */
  groupPaths(): readonly string[];
  healthPaths(): readonly string[];
}

const openIDPaths = ['/.well-known/openid-configuration', '/openid/v1/jwks'] as const;

const fixedPaths = [
  '/api',
  '/api/v1',
  '/apis',
  '/healthz',
  '/livez',
  '/metrics',
  '/metrics/slis',
  '/openapi/v2',
  '/openapi/v3',
  '/readyz',
  '/version',
];

/** All that is served and is not a resource. */
export function createNonResourceEndpoints(endpoints: NonResourceEndpoints): Handler {
  return async (context) => {
    return (await answer(endpoints, context)) ?? notFoundPage();
  };
}

/**
 * Finds the document at a path. Documents behind upstream's router can only be read, and only in their one form; other non-resource paths
 * take any method. Slashes at the end are ignored, and paths below a document are not served. undefined: another path.
 */
function routedAt(
  at: string,
  context: RequestContext,
  mediaType: string,
  response: () => APIResponse | Promise<APIResponse>,
): APIResponse | Promise<APIResponse> | undefined {
  const { path } = context.info;
  if (path !== at && !path.startsWith(`${at}/`)) return undefined;
  if (/[^/]/.test(path.slice(at.length))) throw resourceNotServed();
  if (context.request.method !== 'GET') throw methodNotAllowed();
  checkAccept(context, [mediaType]);
  return response();
}

/** The answer of Go's HTTP server for a path that it does not know; clients of Kubernetes expect these words. */
export function notFoundPage(): APIResponse {
  return plainResponse(404, '404 page not found\n');
}

async function answer(endpoints: NonResourceEndpoints, context: RequestContext): Promise<APIResponse | undefined> {
  const { path } = context.info;
  const { openID } = endpoints;
  const [first] = path.split('/', 2).slice(1);
  switch (first) {
    case '':
      return path === '/' ? rootPaths(endpoints) : undefined;
    case 'api':
    case 'apis':
      return endpoints.discovery(context);
    case 'healthz':
    case 'livez':
    case 'readyz':
      return endpoints.health.answer(context);
    case 'openapi':
      return endpoints.openAPI(context);
    case 'version':
      return routedAt('/version', context, 'application/json', () => versionResponse(endpoints.version));
    case 'metrics':
      if (path === '/metrics/slis') return endpoints.metrics.scrapeHealth();
      return path === '/metrics' ? endpoints.metrics.scrape() : undefined;
    case 'debug':
      return endpoints.debug(context);
    case '.well-known':
      return openID && routedAt(openIDPaths[0], context, 'application/json', () => openID.configuration());
    case 'openid':
      return openID && routedAt(openIDPaths[1], context, 'application/jwk-set+json', () => openID.jwks());
    default:
      return undefined;
  }
}

function rootPaths(endpoints: NonResourceEndpoints): APIResponse {
  const ofIssuer = endpoints.openID === undefined ? [] : openIDPaths;
  const paths = [...new Set([...fixedPaths, ...ofIssuer, ...endpoints.groupPaths(), ...endpoints.healthPaths()])].sort();
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify({ paths }, undefined, 2)) },
  };
}
