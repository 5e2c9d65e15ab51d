import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../../../../api/base/clock.ts';
import type { IPFamily } from '../../../../api/semantics/services/ip-family.ts';
import type { Forgotten, ProxyCounts, ProxySync } from '../proxy.ts';

/** The proxy's metrics, under the names of kube-proxy in its nftables mode. */
export interface ProxyMetrics {
  observe(sync: ProxySync): void;
  observeForgotten(forgotten: Forgotten): void;
  countProbe(path: 'healthz' | 'livez', status: number): void;
  /** Text format 0.0.4 of Prometheus. */
  scrape(counts: ProxyCounts): Promise<string>;
}

const syncBuckets = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index);
const range = (start: number, step: number, count: number) => Array.from({ length: count }, (_, index) => start + step * index);
/** A quarter of a second to five minutes. */
const programmingBuckets = [...range(0.25, 0.25, 2), ...range(1, 1, 59), ...range(60, 5, 12), ...range(120, 30, 7)];

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

interface ProxyMetricsDependencies {
  readonly clock: Clock;
  /** The families of the proxy's rules. */
  readonly families: readonly IPFamily[];
}

export function createProxyMetrics({ clock, families }: ProxyMetricsDependencies): ProxyMetrics {
  const registry = new Registry();
  const { durations, programming, lastSynced, lastQueued, failures, cleanupFailures, changes, noLocal, reconciler, probes } =
    defineMetrics(registry);
  for (const ip_family of families) for (const counter of [failures, cleanupFailures, reconciler.deleted]) counter.inc({ ip_family }, 0);
  return {
    observe({ families: syncs, triggersMs }) {
      const nowMs = clock.nowMs();
      for (const { family: ip_family, kind, durationMs, error } of syncs) {
        durations.all.observe({ ip_family }, durationMs / 1000);
        durations[kind].observe({ ip_family }, durationMs / 1000);
        if (error === undefined) lastSynced.set({ ip_family }, nowMs / 1000);
        else failures.inc({ ip_family });
        for (const triggerMs of triggersMs) programming.observe({ ip_family }, Math.max(0, nowMs - triggerMs) / 1000);
      }
    },
    observeForgotten({ family: ip_family, connections, durationMs }) {
      reconciler.time.observe({ ip_family }, durationMs / 1000);
      reconciler.deleted.inc({ ip_family }, connections);
    },
    countProbe: (path, status) => probes[path].inc({ code: String(status) }),
    async scrape({ serviceChanges, endpointChanges, lastQueuedMs = 0, withoutLocalEndpoints }) {
      for (const ip_family of families) lastQueued.set({ ip_family }, lastQueuedMs / 1000);
      for (const [kind, { total, pending }] of [
        ['service', serviceChanges],
        ['endpoint', endpointChanges],
      ] as const) {
        changes[kind].pending.set(pending);
        changes[kind].total.reset();
        changes[kind].total.inc(total);
      }
      for (const { family, ...counts } of withoutLocalEndpoints) {
        for (const policy of ['internal', 'external'] as const) noLocal.set({ ip_family: family, traffic_policy: policy }, counts[policy]);
      }
      return registry.metrics();
    },
  };
}

/** All families, in the order in which they are shown. */
function defineMetrics(registry: Registry) {
  const named = (name: string, help: string) => ({ name: `kubeproxy_${name}`, help: `[ALPHA] ${help}`, registers: [registry] });
  const gauge = (name: string, help: string) => new Gauge(named(`sync_proxy_rules_${name}`, help));
  const byFamily = (name: string, help: string) => ({ ...named(name, help), labelNames: ['ip_family' as const] });
  const syncTime = (name: string, help: string) => new Histogram({ ...byFamily(name, help), buckets: syncBuckets });
  const durations = {
    all: syncTime('sync_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds'),
    full: syncTime('sync_full_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds for full resyncs'),
    partial: syncTime('sync_partial_proxy_rules_duration_seconds', 'SyncProxyRules latency in seconds for partial resyncs'),
  };
  const programming = new Histogram({
    ...byFamily('network_programming_duration_seconds', 'In Cluster Network Programming Latency in seconds'),
    buckets: programmingBuckets,
  });
  const timestamp = (name: string, help: string) => new Gauge(byFamily(`sync_proxy_rules_${name}`, help));
  const lastSynced = timestamp('last_timestamp_seconds', 'The last time proxy rules were successfully synced');
  const lastQueued = timestamp('last_queued_timestamp_seconds', 'The last time a sync of proxy rules was queued');
  const failures = new Counter(byFamily('sync_proxy_rules_nftables_sync_failures_total', 'Cumulative proxy nftables sync failures'));
  // Chains are removed in the transaction that removes their Service.
  const cleanupFailures = new Counter(
    byFamily('sync_proxy_rules_nftables_cleanup_failures_total', 'Cumulative proxy nftables cleanup failures'),
  );
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
    labelNames: ['ip_family', 'traffic_policy'],
  });
  const reconciler = {
    time: syncTime('conntrack_reconciler_sync_duration_seconds', 'ReconcileConntrackFlowsLatency latency in seconds'),
    deleted: new Counter(
      byFamily('conntrack_reconciler_deleted_entries_total', 'Cumulative conntrack flows deleted by conntrack reconciler'),
    ),
  };
  const probes = {
    healthz: new Counter({ ...named('proxy_healthz_total', 'Cumulative proxy healthz HTTP status'), labelNames: ['code'] }),
    livez: new Counter({ ...named('proxy_livez_total', 'Cumulative proxy livez HTTP status'), labelNames: ['code'] }),
  };
  return { durations, programming, lastSynced, lastQueued, failures, cleanupFailures, changes, noLocal, reconciler, probes };
}
