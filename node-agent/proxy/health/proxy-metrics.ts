import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../../../api/base/clock.ts';
import type { ProxyCounts, ProxySync } from '../proxy.ts';

/** What the proxy counts, under the names of kube-proxy in its nftables mode. */
export interface ProxyMetrics {
  observe(sync: ProxySync): void;
  countProbe(path: 'healthz' | 'livez', status: number): void;
  /** Text format 0.0.4 of Prometheus. */
  scrape(counts: ProxyCounts): Promise<string>;
}

const syncBuckets = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);
const range = (start: number, step: number, count: number) => Array.from({ length: count }, (_, index) => start + step * index);
/** A quarter of a second to five minutes. */
const programmingBuckets = [...range(0.25, 0.25, 2), ...range(1, 1, 59), ...range(60, 5, 12), ...range(120, 30, 7)];

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

export function createProxyMetrics(clock: Clock): ProxyMetrics {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  const named = (name: string, help: string) => ({ name: `kubeproxy_${name}`, help: `[ALPHA] ${help}`, registers: [...registers] });
  const gauge = (name: string, help: string) => new Gauge(named(`sync_proxy_rules_${name}`, help));
  const syncTime = (name: string, help: string) => new Histogram({ ...named(name, help), buckets: syncBuckets });
  const durations = {
    all: syncTime('sync_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds'),
    full: syncTime('sync_full_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds for full resyncs'),
    partial: syncTime('sync_partial_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds for partial resyncs'),
  };
  const programming = new Histogram({
    ...named('network_programming_duration_seconds', 'In Cluster Network Programming Latency in seconds'),
    buckets: programmingBuckets,
  });
  const lastSynced = gauge('last_timestamp_seconds', 'The last time proxy rules were successfully synced');
  const lastQueued = gauge('last_queued_timestamp_seconds', 'The last time a sync of proxy rules was queued');
  const failures = new Counter(named('sync_proxy_rules_nftables_sync_failures_total', 'Cumulative proxy nftables sync failures'));
  // Chains go in the transaction in which their Service goes.
  new Counter(named('sync_proxy_rules_nftables_cleanup_failures_total', 'Cumulative proxy nftables cleanup failures'));
  const changes = {
    endpoint: {
      pending: gauge('endpoint_changes_pending', 'Pending proxy rules Endpoint changes'),
      total: new Counter(named('sync_proxy_rules_endpoint_changes_total', 'Cumulative proxy rules Endpoint changes')),
    },
    service: {
      pending: gauge('service_changes_pending', 'Pending proxy rules Service changes'),
      total: new Counter(named('sync_proxy_rules_service_changes_total', 'Cumulative proxy rules Service changes')),
    },
  };
  const noLocal = new Gauge({
    ...named('sync_proxy_rules_no_local_endpoints_total', 'Number of services with a Local traffic policy and no endpoints'),
    labelNames: ['traffic_policy'],
  });
  const probes = {
    healthz: new Counter({ ...named('proxy_healthz_total', 'Cumulative proxy healthz HTTP status'), labelNames: ['code'] }),
    livez: new Counter({ ...named('proxy_livez_total', 'Cumulative proxy livez HTTP status'), labelNames: ['code'] }),
  };

  return {
    observe({ kind, durationMs, error, triggersMs }) {
      durations.all.observe(durationMs / 1000);
      durations[kind].observe(durationMs / 1000);
      if (error !== undefined) return failures.inc();
      const nowMs = clock.nowMs();
      lastSynced.set(nowMs / 1000);
      for (const triggerMs of triggersMs) programming.observe(Math.max(0, nowMs - triggerMs) / 1000);
    },
    countProbe: (path, status) => probes[path].inc({ code: String(status) }),
    async scrape({ serviceChanges, endpointChanges, lastQueuedMs = 0, withoutLocalEndpoints }) {
      lastQueued.set(lastQueuedMs / 1000);
      for (const [kind, { total, pending }] of [
        ['service', serviceChanges],
        ['endpoint', endpointChanges],
      ] as const) {
        changes[kind].pending.set(pending);
        changes[kind].total.reset();
        changes[kind].total.inc(total);
      }
      for (const policy of ['internal', 'external'] as const) noLocal.set({ traffic_policy: policy }, withoutLocalEndpoints[policy]);
      return registry.metrics();
    },
  };
}
