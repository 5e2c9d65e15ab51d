import type { APIResponse } from '../../../api/client/transport.ts';
import type { Filter, RequestInfo } from '../request-context.ts';
import type { InflightGauge } from './concurrency-limit.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';

/** What is counted about a request; label values come from a bounded set. */
export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
  readonly dryRun: string;
}

/** Where counts go; upstream's metric names are the implementation's business. */
export interface RequestMetrics {
  readonly inflight: InflightGauge;
  /** Whether a resource (and subresource) is served: all else is counted as one, so that nobody can invent label values. */
  isServed(info: RequestInfo): boolean;
  finished(labels: RequestLabels, code: number, durationSeconds: number, responseBytes: number): void;
  /** A watch or other long-running request begins; returns what to call at its end. */
  longRunning(labels: RequestLabels): () => void;
  /** An event is handed to the client of a watch. */
  watchEvent(labels: RequestLabels): void;
}

export function requestMetrics(metrics: RequestMetrics): Filter {
  return (next) => async (context) => {
    const startMs = context.clock.monotonicMs();
    const labels = labelsOf(context.info, context.request.method, context.query, metrics.isServed(context.info));
    const ended = isLongRunning(context.info) ? metrics.longRunning(labels) : undefined;
    const response = await next(context);
    const bytes = response.body.kind === 'bytes' ? response.body.bytes.byteLength : 0;
    metrics.finished(labels, response.status, (context.clock.monotonicMs() - startMs) / 1000, bytes);
    if (!ended) return response;
    return onBodyEnd(labels.verb === 'WATCH' ? countEvents(response, () => metrics.watchEvent(labels)) : response, ended);
  };
}

/** Counts the frames that are sent; in-process readers take objects, not frames, and are not counted. */
function countEvents(response: APIResponse, sent: () => void): APIResponse {
  const { body } = response;
  if (body.kind !== 'stream') return response;
  const chunks: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]() {
      const iterator = body.chunks[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await iterator.next();
          if (!result.done) sent();
          return result;
        },
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
  return { ...response, body: { ...body, chunks } };
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const verbs: Readonly<Record<string, string>> = {
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
};
const connecting: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy']);

function labelsOf(info: RequestInfo, method: string, query: URLSearchParams, isServed: boolean): RequestLabels {
  const dryRun = query.get('dryRun') === 'All' ? 'All' : '';
  if (!info.isResourceRequest || !isServed) {
    const verb = methods.has(method) ? method : 'other';
    return { verb, group: '', version: '', resource: '', subresource: nonResourceLabel(info.path), scope: '', dryRun };
  }
  const { apiGroup: group, apiVersion: version, resource, subresource } = info;
  const verb = connecting.has(subresource) ? 'CONNECT' : (verbs[info.verb] ?? 'other');
  const scope = info.name !== '' || info.verb === 'create' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
  return { verb, group, version, resource, subresource, scope, dryRun };
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
