import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createAPICaller } from '../testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../testing/complete-server.ts';
import { createMetricFamilies } from '../metric-families.ts';
import { createRequestCounters } from './request-metrics.ts';
import { createStoreMetrics } from './store-metrics.ts';
import { Watermark } from './inflight-watermarks.ts';

async function textOf(families: ReturnType<typeof createMetricFamilies>): Promise<string> {
  let text = '';
  for await (const part of families.texts()) text += part;
  return text;
}

describe('metric families', () => {
  it('tell counters, gauges and histograms in the text format', async () => {
    const families = createMetricFamilies();
    families
      .counter({ name: 'c_total', help: 'Counts "c".', stability: 'STABLE', labels: ['x'] })
      .with('a"\\\n')
      .add(2);
    families.gauge({ name: 'g', help: 'Is g.', stability: 'ALPHA' }, (family) => {
      family.with().value = 7;
    });
    const histogram = families.histogram({ name: 'h', help: 'Spreads.', stability: 'BETA', labels: ['x'], buckets: [1, 2] });
    for (const value of [0.5, 1, 1.5, 9]) histogram.with('y').observe(value);
    const text = await textOf(families);
    assert.equal(
      text
        .split('\n')
        .filter((line) => !line.includes('registered_metrics'))
        .join('\n'),
      `# HELP c_total [STABLE] Counts "c".
# TYPE c_total counter
c_total{x="a\\"\\\\\\n"} 2
# HELP g [ALPHA] Is g.
# TYPE g gauge
g 7
# HELP h [BETA] Spreads.
# TYPE h histogram
h_bucket{le="1",x="y"} 2
h_bucket{le="2",x="y"} 3
h_bucket{le="+Inf",x="y"} 4
h_sum{x="y"} 12
h_count{x="y"} 4
`,
    );
    assert.match(text, /^registered_metrics_total\{stability_level="STABLE",deprecated_version=""\} 1$/m);
  });
});

describe('very many series', () => {
  it('are written in pieces, each of which is short work', async () => {
    const families = createMetricFamilies();
    const buckets = Array.from({ length: 23 }, (_, index) => index);
    const histogram = families.histogram({ name: 'h', help: 'Spreads.', stability: 'ALPHA', labels: ['verb', 'x'], buckets });
    const series = 5000;
    for (let index = 0; index < series; index++) histogram.with('GET', `value-${index}`).observe(1);
    let lines = 0;
    let longest = 0;
    for await (const piece of families.texts()) {
      lines += piece.split('\n').length - 1;
      longest = Math.max(longest, piece.length);
    }
    assert.equal(lines, series * (buckets.length + 3) + 6);
    assert.ok(longest < 300 * 1024, `${longest} characters at once`);
  });

  it('are what was counted when their turn came, whoever clears them meanwhile', async () => {
    const families = createMetricFamilies();
    const gauge = families.gauge({ name: 'g', help: 'Is g.', stability: 'ALPHA', labels: ['x'] });
    const series = 20_000;
    for (let index = 0; index < series; index++) gauge.with(`value-${index}`.padEnd(40, 'x')).value = index;
    let text = '';
    for await (const piece of families.texts()) {
      text += piece;
      if (piece.includes('value-0')) gauge.clear();
    }
    assert.equal(text.match(/^g\{/gm)?.length, series);
  });
});

describe('request counters', () => {
  const labels = { verb: 'LIST', group: 'apps', version: 'v1', resource: 'deployments', subresource: '', scope: 'namespace', dryRun: '' };
  it('have upstream names', async () => {
    const families = createMetricFamilies();
    const countersFor = createRequestCounters(families, { deprecation: () => ({ removedRelease: '1.40' }) });
    const counters = countersFor(labels);
    assert.equal(countersFor({ ...labels }), counters);
    counters.finished(200, 0.03, 0.01, 1500);
    counters.watchEvents([2000]);
    counters.terminated(429);
    const end = counters.longRunning();
    counters.longRunning();
    end();
    const text = await textOf(families);
    const own = 'group="apps",version="v1",resource="deployments",subresource="",scope="namespace",component="apiserver"';
    for (const line of [
      `apiserver_request_total{verb="LIST",dry_run="",${own},code="200"} 1`,
      `apiserver_request_duration_seconds_bucket{le="0.025",verb="LIST",dry_run="",${own}} 0`,
      `apiserver_request_duration_seconds_bucket{le="0.05",verb="LIST",dry_run="",${own}} 1`,
      `apiserver_request_sli_duration_seconds_sum{verb="LIST",${own}} 0.01`,
      `apiserver_response_sizes_bucket{le="10000",verb="LIST",${own}} 1`,
      `apiserver_request_terminations_total{verb="LIST",${own},code="429"} 1`,
      `apiserver_longrunning_requests{verb="LIST",${own}} 1`,
      'apiserver_requested_deprecated_apis{group="apps",version="v1",resource="deployments",subresource="",removed_release="1.40"} 1',
      'apiserver_watch_events_total{group="apps",version="v1",resource="deployments"} 1',
      'apiserver_watch_events_sizes_bucket{le="2048",group="apps",version="v1",resource="deployments"} 1',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });
});

describe('store metrics', () => {
  it('tell calls, failures, objects and size', async () => {
    const families = createMetricFamilies();
    const statistics = { count: 3, bytes: 300, averageBytes: 100, watchers: 1, revision: 42 };
    const count = createStoreMetrics(families, { resources: () => [['deployments.apps', statistics]], storeBytes: async () => 4096 });
    count('list', 'deployments.apps', 0.001, false);
    count('list', 'deployments.apps', 0.001, true);
    const text = await textOf(families);
    for (const line of [
      'etcd_request_duration_seconds_count{operation="list",group="apps",resource="deployments"} 2',
      'etcd_requests_total{operation="list",group="apps",resource="deployments"} 2',
      'etcd_request_errors_total{operation="list",group="apps",resource="deployments"} 1',
      'apiserver_storage_objects{resource="deployments.apps"} 3',
      'apiserver_resource_objects{group="apps",resource="deployments"} 3',
      'apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 4096',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });
});

describe('watermark', () => {
  it('is the most there was in the last second', async () => {
    const clock = createManualClock();
    const mark = new Watermark();
    const at = () => clock.monotonicMs();
    mark.add(1, at());
    mark.add(1, at());
    mark.add(-2, at());
    assert.equal(mark.read(at()), 2);
    await clock.advance(1000);
    assert.equal(mark.read(at()), 2);
    await clock.advance(1000);
    assert.equal(mark.read(at()), 0);
  });
});

describe('metrics of a whole server', function () {
  this.timeout(60_000);
  let complete: CompleteServer;
  before(async () => (complete = await startCompleteServer()));
  after(() => complete.close());

  /** The STABLE metrics of v1.36 that concern the API server. */
  const stable = [
    'apiserver_admission_controller_admission_duration_seconds',
    'apiserver_admission_step_admission_duration_seconds',
    'apiserver_admission_webhook_admission_duration_seconds',
    'apiserver_current_inflight_requests',
    'apiserver_longrunning_requests',
    'apiserver_request_duration_seconds',
    'apiserver_request_total',
    'apiserver_requested_deprecated_apis',
    'apiserver_response_sizes',
    'apiserver_storage_objects',
    'apiserver_storage_size_bytes',
  ];
  it('has all that are stable, and says so', async () => {
    const { text, headers } = await createAPICaller(complete.server.transport).get('/metrics');
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    for (const name of stable) assert.match(text, new RegExp(`^# HELP ${name} \\[STABLE\\] `, 'm'));
    const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  it('tells the truth about what was asked', async () => {
    const caller = createAPICaller(complete.server.transport, { name: 'teller', groups: ['system:masters', 'system:authenticated'] });
    const read = async (line: RegExp) => Number(line.exec((await caller.get('/metrics')).text)?.[1] ?? 0);
    const created =
      /^apiserver_request_total\{verb="POST",dry_run="",group="",version="v1",resource="secrets",subresource="",scope="resource",component="apiserver",code="201"\} (\d+)$/m;
    const listed =
      /^apiserver_request_duration_seconds_count\{verb="LIST",dry_run="",group="",version="v1",resource="secrets",[^}]*\} (\d+)$/m;
    const objects = /^apiserver_storage_objects\{resource="secrets"\} (\d+)$/m;
    const before = [await read(created), await read(listed), await read(objects)];
    for (let count = 0; count < 3; count++)
      await caller.post('/api/v1/namespaces/default/secrets', { metadata: { name: `s-${count}` }, data: {} });
    await caller.get('/api/v1/secrets');
    const change = [await read(created), await read(listed), await read(objects)].map((value, index) => value - (before[index] ?? 0));
    assert.deepEqual(change, [3, 1, 3]);
    await caller.get('/api/v1/namespaces/default/endpoints');
    const deprecated =
      /^apiserver_requested_deprecated_apis\{group="",version="v1",resource="endpoints",subresource="",removed_release=""\} (\d)$/m;
    assert.equal(await read(deprecated), 1);
    const admission =
      /^apiserver_admission_controller_admission_duration_seconds_count\{name="NamespaceLifecycle",type="admit",operation="CREATE",rejected="false"\} (\d+)$/m;
    assert.ok((await read(admission)) >= 3);
    await caller.post('/api/v1/namespaces/nowhere/secrets', { metadata: { name: 'x' } });
    assert.equal(await read(new RegExp(admission.source.replace('"false"', '"true"'), 'm')), 1);
    const { text } = await caller.get('/metrics');
    assert.match(text, /^kubernetes_build_info\{major="1",minor="36",/m);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
    assert.match(text, /^authorization_attempts_total\{result="allowed"\} \d+$/m);
    assert.match(text, /^etcd_requests_total\{operation="create",group="",resource="secrets"\} 3$/m);
    await caller.get('/readyz');
    assert.match((await caller.get('/metrics/slis')).text, /^kubernetes_healthcheck\{name="etcd",type="readyz"\} 1$/m);
  });

  it('counts every event and its size', async () => {
    const caller = createAPICaller(complete.server.transport);
    const watch = await caller.watch('/api/v1/namespaces/default/limitranges?watch=1');
    await caller.post('/api/v1/namespaces/default/limitranges', { metadata: { name: 'l' }, spec: { limits: [] } });
    await watch.next();
    const running = (await caller.get('/metrics')).text;
    const own = 'group="",version="v1",resource="limitranges"';
    assert.match(running, new RegExp(`^apiserver_watch_events_total\\{${own}\\} 1$`, 'm'));
    assert.match(running, new RegExp(`^apiserver_longrunning_requests\\{verb="WATCH",${own},[^}]*\\} [12]$`, 'm'));
    await watch.stop();
  });
});
