import assert from 'node:assert/strict';
import { createManualClock } from '../../../api/base/manual-clock.ts';
import { createMetricFamilies } from './families.ts';
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

describe('request counters', () => {
  const labels = { verb: 'LIST', group: 'apps', version: 'v1', resource: 'deployments', subresource: '', scope: 'namespace', dryRun: '' };
  it('have upstream names', async () => {
    const families = createMetricFamilies();
    const countersFor = createRequestCounters(families, { deprecation: () => ({ removedRelease: '1.40' }) });
    const counters = countersFor(labels);
    assert.equal(countersFor({ ...labels }), counters);
    counters.finished(200, 0.03, 0.01, 1500);
    counters.watchEvent(2000);
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
