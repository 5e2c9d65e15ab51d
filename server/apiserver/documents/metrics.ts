import { collectDefaultMetrics } from 'prom-client';
import type { Clock } from '../../../api/base/clock.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { FlowControl, FlowMetrics } from '../flowcontrol/flow-control.ts';
import { type AccessMetrics, createAccessMetrics } from '../metrics/access-metrics.ts';
import { type AuthorizationMetrics, createAuthorizationMetrics } from '../metrics/authorization-metrics.ts';
import { createWebhookMetrics, type WebhookMetrics } from '../metrics/webhook-metrics.ts';
import { type AdmissionMetrics, createAdmissionMetrics } from '../metrics/admission-metrics.ts';
import { type AggregatorMetrics, createAggregatorMetrics } from '../metrics/aggregator-metrics.ts';
import { createMetricFamilies, type MetricFamilies } from '../metric-families.ts';
import { addLevelMetrics, createFlowMetrics } from '../metrics/flow-metrics.ts';
import { createHealthMetrics, type HealthMetrics } from '../metrics/health-metrics.ts';
import { createInflightWatermarks, type InflightGauge } from '../metrics/inflight-watermarks.ts';
import { createRequestCounters, type RequestLabels, type RequestMetrics } from '../metrics/request-metrics.ts';
import { createTokenCacheMetrics } from '../metrics/token-cache-metrics.ts';
import type { TokenCacheMetrics } from '../authentication/token-cache.ts';
import { createStoreMetrics, type StoreCounter, type StoreMetricsOptions } from '../metrics/store-metrics.ts';
import type { RequestInfo } from '../request/request-context.ts';
import type { VersionInfo } from './version.ts';

interface ServerMetricsOptions extends StoreMetricsOptions {
  readonly clock: Clock;
  readonly version: VersionInfo;
  /** Whether a resource and subresource are served: label values come from these only. */
  isServed(info: RequestInfo): boolean;
  deprecation(labels: RequestLabels): { readonly removedRelease: string } | undefined;
}

/** The server's metrics, under upstream's names. */
export interface ServerMetrics {
  readonly requests: RequestMetrics;
  readonly inflight: InflightGauge;
  readonly flows: FlowMetrics;
  /** Shows the priority levels, which are asked at every scrape. */
  observeFlows(flows: FlowControl): void;
  readonly access: AccessMetrics;
  readonly authorization: AuthorizationMetrics;
  readonly tokenCache: TokenCacheMetrics;
  readonly admission: AdmissionMetrics;
  readonly aggregator: AggregatorMetrics;
  readonly webhooks: WebhookMetrics;
  readonly health: HealthMetrics;
  readonly storeRequest: StoreCounter;
  /** For other parts of the process, e.g. controllers, to count in. */
  readonly families: MetricFamilies;
  /** /metrics */
  scrape(): APIResponse;
  /** /metrics/slis */
  scrapeHealth(): APIResponse;
}

export function createServerMetrics(options: ServerMetricsOptions): ServerMetrics {
  const families = createMetricFamilies();
  collectDefaultMetrics({ register: families.register });
  addBuildInfo(families, options.version);
  const slis = createMetricFamilies();
  return {
    requests: { isServed: options.isServed, countersFor: createRequestCounters(families, options) },
    inflight: createInflightWatermarks(families, options.clock),
    flows: createFlowMetrics(families),
    observeFlows: (flows) => addLevelMetrics(families, flows),
    access: createAccessMetrics(families),
    authorization: createAuthorizationMetrics(families),
    tokenCache: createTokenCacheMetrics(families),
    admission: createAdmissionMetrics(families),
    aggregator: createAggregatorMetrics(families),
    webhooks: createWebhookMetrics(families),
    health: createHealthMetrics(slis),
    storeRequest: createStoreMetrics(families, options),
    families,
    scrape: () => textResponse(families),
    scrapeHealth: () => textResponse(slis),
  };
}

/** A piece at a time: many series take a while to be put into words, and others have their turn in between. */
function textResponse({ texts }: MetricFamilies): APIResponse {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for await (const text of texts()) {
      yield Buffer.from(text);
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  };
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: { kind: 'stream', chunks: chunks() },
  };
}

function addBuildInfo(families: MetricFamilies, version: VersionInfo): void {
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform } = version;
  families
    .gauge({
      name: 'kubernetes_build_info',
      help: "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
      stability: 'ALPHA',
      labels: ['major', 'minor', 'git_version', 'git_commit', 'git_tree_state', 'build_date', 'go_version', 'compiler', 'platform'],
    })
    .with(major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform).value = 1;
}
