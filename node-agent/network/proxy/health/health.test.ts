import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { silentLogger } from '../../../../api/base/logger.ts';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { systemRandom } from '../../../../api/base/system-random.ts';
import type { Client } from '../../../../api/client/client.ts';
import { createClient } from '../../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../../api/client/informers/informer-factory.ts';
import type { InformerFactory } from '../../../../api/client/informers/informer.ts';
import { ObjectServer } from '../../../../api/client/testing/object-server.ts';
import { nodes } from '../../../../api/resources/core/v1/node.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { Endpoint } from '../../../../api/types/discovery-v1.ts';
import type { ProxyCounts, ProxyHealth } from '../proxy.ts';
import { createProxyMetrics } from './proxy-metrics.ts';
import { runProxyServer } from './proxy-server.ts';
import { planServiceHealth, type ServiceHealth } from './service-health.ts';
import { createServiceHealthServer } from './service-health-server.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function get(port: number, path: string): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

describe('health of a Service', () => {
  const service: Service = {
    metadata: { namespace: 'ns', name: 'web', uid: 'u' },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', externalTrafficPolicy: 'Local', healthCheckNodePort: 30999 },
  };
  const endpoint = (address: string, nodeName: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint => ({
    addresses: [address],
    nodeName,
    conditions,
  });
  const slices = [
    {
      metadata: { name: 'a' },
      addressType: 'IPv4' as const,
      endpoints: [
        endpoint('10.244.0.2', 'here'),
        endpoint('10.244.0.3', 'here', {}),
        endpoint('10.244.0.4', 'here', { ready: false, serving: true, terminating: true }),
        endpoint('10.244.1.2', 'there'),
      ],
    },
    { metadata: { name: 'b' }, addressType: 'IPv4' as const, endpoints: [endpoint('10.244.0.2', 'here')] },
    { metadata: { name: 'c' }, addressType: 'IPv6' as const, endpoints: [endpoint('fd00::2', 'here')] },
  ];

  it('counts the ready Pods of the node once, and not those that go', () => {
    const expected = { namespace: 'ns', name: 'web', uid: 'u', port: 30_999, localEndpoints: 2 };
    assert.deepEqual(planServiceHealth(service, slices, 'here'), expected);
    assert.equal(planServiceHealth(service, [], 'here')?.localEndpoints, 0);
  });

  it('is asked only of load balancers under policy Local', () => {
    const change = (spec: Service['spec']) => planServiceHealth({ ...service, spec: { ...service.spec, ...spec } }, slices, 'here');
    assert.equal(change({ externalTrafficPolicy: 'Cluster' }), undefined);
    assert.equal(change({ type: 'NodePort' }), undefined);
    assert.equal(change({ healthCheckNodePort: 0 }), undefined);
  });
});

describe('the ports for health checks', () => {
  const reported: string[] = [];
  let isHealthy = true;
  const server = createServiceHealthServer({
    nodeName: 'here',
    nodePortAddresses: async () => ['127.0.0.1'],
    isProxyHealthy: () => isHealthy,
    events: { event: ({ name }, type, reason, message) => reported.push(`${type} ${reason} ${name} ${message}`) },
    logger: silentLogger,
  });
  const health = (port: number, localEndpoints: number): ServiceHealth => ({
    namespace: 'ns',
    name: 'web',
    uid: 'u',
    port,
    localEndpoints,
  });
  after(() => server.close());

  it('answer as kube-proxy does', async () => {
    const port = await freePort();
    server.claim('ns/web', health(port, 3));
    await server.sync();
    const { status, headers, body } = await get(port, '/any');
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('x-load-balancing-endpoint-weight'), '3');
    const text =
      '{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 3,\n\t"serviceProxyHealthy": true\n}';
    assert.equal(body, text);
    isHealthy = false;
    assert.equal((await get(port, '/')).status, 503);
    isHealthy = true;
    server.claim('ns/web', health(port, 0));
    assert.equal((await get(port, '/')).status, 503);
  });

  it('move and close with the Service', async () => {
    const [first, second] = [await freePort(), await freePort()];
    server.claim('ns/web', health(first, 1));
    await server.sync();
    server.claim('ns/web', health(second, 1));
    // Another Service takes the port over at the same time.
    server.claim('ns/other', { ...health(first, 2), name: 'other' });
    await server.sync();
    assert.equal((await get(second, '/')).status, 200);
    assert.match((await get(first, '/')).body, /"other"/);
    server.claim('ns/web', undefined);
    server.claim('ns/other', undefined);
    await server.sync();
    await assert.rejects(get(second, '/'));
    await assert.rejects(get(first, '/'));
  });

  it('that are in use are told of in an Event', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    server.claim('ns/web', health(port, 1));
    await server.sync();
    assert.equal(reported.length, 1);
    const words = `^Warning FailedToStartServiceHealthcheck web node here failed to start healthcheck "ns/web" on port ${port}: `;
    assert.match(reported[0] ?? '', new RegExp(words));
    other.close();
    server.claim('ns/web', undefined);
    await server.sync();
  });
});

describe("the Service proxy's own health and metrics", () => {
  const abort = new AbortController();
  const objects = new ObjectServer();
  const state: { health: ProxyHealth; counts: ProxyCounts } = {
    health: { healthy: true, synced: true, lastSyncedMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
    counts: {
      serviceChanges: { total: 3, pending: 1 },
      endpointChanges: { total: 5, pending: 0 },
      withoutLocalEndpoints: [{ family: 'IPv4' as const, internal: 1, external: 2 }],
      lastQueuedMs: 1_700_000_000_000,
    },
  };
  const metrics = createProxyMetrics({ clock: systemClock, families: ['IPv4'] });
  let client: Client;
  let informers: InformerFactory;
  let running: Promise<unknown>;
  let ports: { healthz: number; metrics: number };

  before(async () => {
    client = createClient(objects.transport);
    await client(nodes).create({ metadata: { name: 'here' } });
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    informers = createInformerFactory({ ...parts, client });
    ports = { healthz: await freePort(), metrics: await freePort() };
    const endpoint = (port: number) => ({ address: '127.0.0.1', port });
    const proxy = { health: () => state.health, counts: () => state.counts };
    const server = { ...parts, informers, proxy, metrics, nodeName: 'here' };
    const where = { healthz: endpoint(ports.healthz), metricsEndpoint: endpoint(ports.metrics) };
    informers.informer(nodes);
    running = Promise.all([informers.run(abort.signal), runProxyServer({ ...server, ...where }, abort.signal)]);
    await informers.synced(abort.signal);
  });
  after(async () => {
    abort.abort();
    await running;
  });

  it('says how it is', async () => {
    const good = await get(ports.healthz, '/healthz');
    assert.equal(good.status, 200);
    const time = String.raw`"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+0000 UTC"`;
    assert.match(good.body, new RegExp(`^{"lastUpdated": ${time},"currentTime": ${time}, "nodeEligible": true}$`));
    assert.match((await get(ports.healthz, '/livez')).body, new RegExp(`^{"lastUpdated": ${time},"currentTime": ${time}}$`));
    state.health = { ...state.health, healthy: false };
    for (const path of ['/healthz', '/livez']) {
      const bad = await get(ports.healthz, path);
      assert.equal(bad.status, 503);
      assert.match(bad.body, /"lastUpdated": "2026-01-02 03:04:05\.000 \+0000 UTC"/);
    }
    state.health = { ...state.health, healthy: true };
    assert.equal((await get(ports.healthz, '/other')).status, 404);
  });

  it('sends load balancers away from a node that is about to go', async () => {
    const node = await client(nodes).get({ namespace: '', name: 'here' });
    const taints = [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' as const }];
    await client(nodes).update({ ...node, spec: { ...node.spec, taints } });
    let answer = await get(ports.healthz, '/healthz');
    while (answer.status === 200) answer = await get(ports.healthz, '/healthz');
    assert.match(answer.body, /"nodeEligible": false}$/);
    assert.equal((await get(ports.healthz, '/livez')).status, 200);
  });

  it('counts under the names of kube-proxy', async () => {
    const observe = (kind: 'full' | 'partial', triggersMs: number[], error?: Error) => {
      const sync = { changes: 2, kind, durationMs: 3, ...(error === undefined ? {} : { error }) };
      metrics.observe({ ...sync, services: 1, triggersMs, families: [{ ...sync, family: 'IPv4' }] });
    };
    observe('partial', [systemClock.nowMs() - 300]);
    observe('full', [], new Error('no'));
    metrics.observeForgotten({ family: 'IPv4', connections: 3, durationMs: 3 });
    const { headers, body } = await get(ports.metrics, '/metrics');
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'kubeproxy_sync_proxy_rules_duration_seconds_count{ip_family="IPv4"} 2',
      'kubeproxy_sync_partial_proxy_rules_duration_seconds_bucket{le="0.004",ip_family="IPv4"} 1',
      'kubeproxy_sync_full_proxy_rules_duration_seconds_count{ip_family="IPv4"} 1',
      'kubeproxy_sync_proxy_rules_nftables_sync_failures_total{ip_family="IPv4"} 1',
      'kubeproxy_sync_proxy_rules_nftables_cleanup_failures_total{ip_family="IPv4"} 0',
      'kubeproxy_conntrack_reconciler_deleted_entries_total{ip_family="IPv4"} 3',
      'kubeproxy_conntrack_reconciler_sync_duration_seconds_count{ip_family="IPv4"} 1',
      'kubeproxy_network_programming_duration_seconds_bucket{le="0.25",ip_family="IPv4"} 0',
      'kubeproxy_network_programming_duration_seconds_bucket{le="300",ip_family="IPv4"} 1',
      'kubeproxy_sync_proxy_rules_service_changes_total 3',
      'kubeproxy_sync_proxy_rules_service_changes_pending 1',
      'kubeproxy_sync_proxy_rules_endpoint_changes_total 5',
      'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"} 1700000000',
      'kubeproxy_sync_proxy_rules_no_local_endpoints_total{ip_family="IPv4",traffic_policy="external"} 2',
      'kubeproxy_proxy_healthz_total{code="200"}',
    ])
      assert.ok(body.includes(`\n${line}`), line);
    assert.equal((await get(ports.metrics, '/proxyMode')).body, 'nftables');
  });
});
