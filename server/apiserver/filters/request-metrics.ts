import type { Filter, RequestContext, RequestInfo } from '../request/request-context.ts';
import { loopbackUser } from '../authentication/well-known.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';
import type { RequestCounters, RequestLabels, RequestMetrics } from '../metrics/request-metrics.ts';

/** The most combinations of labels that are remembered. Beyond it all are dropped, since clients choose what they request. */
const maxKnown = 10_000;

export function requestMetrics(metrics: RequestMetrics): Filter {
  const known = new Map<string, RequestCounters>();
  const countersOf = (context: RequestContext): RequestCounters => {
    const key = keyOf(context);
    const present = known.get(key);
    if (present !== undefined) return present;
    const { info, request, query } = context;
    const counters = metrics.countersFor(labelsOf(info, request.method, query, isApply(context), metrics.isServed(info)));
    if (known.size >= maxKnown) known.clear();
    known.set(key, counters);
    return counters;
  };
  return (next) => async (context) => {
    const startMs = context.clock.monotonicMs();
    const counters = countersOf(context);
    const ended = isLongRunning(context.info) ? counters.longRunning() : undefined;
    if (counters.isWatch) context.watchEventsSent = (sizes) => counters.watchEvents(sizes);
    const response = await next(context);
    const finish = () => {
      const bytes = response.body.kind === 'bytes' ? response.body.bytes.byteLength + (response.body.end?.byteLength ?? 0) : 0;
      const durationMs = context.clock.monotonicMs() - startMs;
      counters.finished(response.status, durationMs / 1000, Math.max(0, durationMs - context.waitedMs) / 1000, bytes);
      if (context.terminatedWith !== 0) counters.terminated(context.terminatedWith);
      if (context.user.name === loopbackUser.name) counters.ownRequest();
      ended?.();
    };
    if (ended) return onBodyEnd(response, finish);
    finish();
    return response;
  };
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const verbs: Readonly<Record<string, string>> = {
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
  get: 'GET',
};
const connecting: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy']);

function isApply({ info, request }: RequestContext): boolean {
  return info.verb === 'patch' && (request.headers['content-type'] ?? '').startsWith('application/apply-patch');
}

/** All that labels are made from. */
function keyOf(context: RequestContext): string {
  const { info, request, query } = context;
  if (!info.isResourceRequest) return `${request.method} ${info.path} ${query.get('dryRun') ?? ''}`;
  const scope = scopeOf(info);
  const dryRun = request.query.includes('dryRun') ? (query.get('dryRun') ?? '') : '';
  return `${info.verb}${isApply(context) ? '!' : ''} ${info.apiGroup}/${info.apiVersion}/${info.resource}/${info.subresource} ${scope} ${dryRun}`;
}

function scopeOf(info: RequestInfo): string {
  return info.name !== '' || info.verb === 'create' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
}

function labelsOf(info: RequestInfo, method: string, query: URLSearchParams, applies: boolean, isServed: boolean): RequestLabels {
  const dryRun = dryRunLabel(query);
  if (!info.isResourceRequest || !isServed) {
    const verb = methods.has(method) ? (method === 'HEAD' ? 'GET' : method) : 'other';
    return { verb, group: '', version: '', resource: '', subresource: nonResourceLabel(info.path), scope: '', dryRun };
  }
  const { apiGroup: group, apiVersion: version, resource, subresource } = info;
  const verb = connecting.has(subresource) ? 'CONNECT' : applies ? 'APPLY' : (verbs[info.verb] ?? 'other');
  return { verb, group, version, resource, subresource, scope: scopeOf(info), dryRun };
}

function dryRunLabel(query: URLSearchParams): string {
  const values = query.getAll('dryRun');
  if (values.length === 0) return '';
  return values.every((value) => value === 'All') ? 'All' : 'invalid';
}

const knownPaths: ReadonlySet<string> = new Set([
  '/api',
  '/apis',
  '/version',
  '/healthz',
  '/livez',
  '/readyz',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
]);

function nonResourceLabel(path: string): string {
  return knownPaths.has(path) ? path : '';
}
