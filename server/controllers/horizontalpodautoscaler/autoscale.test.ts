import assert from 'node:assert/strict';
import { createClient } from '../../../api/client/create-client.ts';
import type { APIResponse, Transport } from '../../../api/client/transport.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { HorizontalPodAutoscaler, MetricSpec } from '../../../api/types/autoscaling-v2.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { type AutoscaleInput, autoscale } from './autoscale.ts';
import { createConditions } from './conditions.ts';
import { createMetricReader, type MetricReader } from './metric-readings.ts';
import { readScaleTarget } from './scale-target.ts';

const nowMs = Date.parse('2026-01-02T03:04:05Z');
const now = formatTime(nowMs);

const cpu = (averageUtilization: number): MetricSpec => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});

const fails = (message: string) => () => Promise.reject(new Error(message));
const noReader: MetricReader = {
  resource: fails('unable to fetch metrics from resource metrics API: gone'),
  pods: fails('unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'),
  object: fails('unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'),
  external: fails('unable to fetch metrics from external metrics API: gone'),
};

function podsOf(count: number): Pod[] {
  return Array.from({ length: count }, (_, index) => ({
    metadata: { name: `p${index}`, labels: { app: 'web' } },
    spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }] },
    status: {
      phase: 'Running' as const,
      startTime: formatTime(nowMs - 3_600_000),
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(nowMs - 3_000_000) }],
    },
  }));
}

interface Setup {
  readonly spec?: Partial<HorizontalPodAutoscaler['spec']>;
  readonly replicas?: number;
  /** Usage of each Pod, in thousandths of a CPU. */
  readonly usage?: number;
  readonly input?: Partial<AutoscaleInput>;
  readonly selector?: string;
}

async function run({ spec = {}, replicas = 2, usage, input = {}, selector = 'app=web' }: Setup) {
  const events: string[] = [];
  const resized: number[] = [];
  const conditions = createConditions([], now);
  const pods = podsOf(replicas);
  const reading = { value: usage ?? 0, timeMs: nowMs, windowMs: 15_000 };
  const result = await autoscale({
    autoscaler: {
      metadata: { name: 'web', namespace: 'ns', uid: 'u' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' }, maxReplicas: 10, metrics: [cpu(50)], ...spec },
    },
    conditions,
    say: (type, reason, message) => void events.push(`${type} ${reason}: ${message}`),
    readTarget: async () => ({
      scale: { metadata: { name: 'web' }, spec: { replicas }, status: { replicas, selector } },
      resize: async (size) => void resized.push(size),
    }),
    reader:
      usage === undefined
        ? noReader
        : { ...noReader, resource: async () => new Map(pods.map(({ metadata }) => [metadata.name ?? '', reading])) },
    pods: () => pods,
    rivals: () => ['ns/web'],
    history: undefined,
    nowMs,
    ...input,
  });
  const shown = conditions.list().map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  return { result, events, resized, conditions: shown, messages: conditions.list().map(({ message }) => message) };
}

describe('autoscale', () => {
  it('resizes and says why', async () => {
    const { result, events, resized, conditions, messages } = await run({ usage: 900 });
    assert.deepEqual(resized, [4]);
    assert.deepEqual(events, [
      'Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target',
    ]);
    assert.deepEqual(conditions, [
      'AbleToScale=True SucceededRescale',
      'ScalingActive=True ValidMetricFound',
      'ScalingLimited=False DesiredWithinRange',
    ]);
    assert.equal(messages[0], 'the HPA controller was able to update the target scale to 4');
    assert.deepEqual(result.status, {
      currentReplicas: 2,
      desiredReplicas: 4,
      hasScaled: true,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 90, averageValue: '900m' } } }],
    });
  });

  it('does not shrink at once: what was there counts as recommended', async () => {
    const first = await run({ usage: 100, replicas: 4 });
    assert.deepEqual([first.resized, first.conditions[0]], [[], 'AbleToScale=True ScaleDownStabilized']);
    const later = await run({ usage: 100, replicas: 4, input: { history: first.result.history, nowMs: nowMs + 301_000 } });
    assert.deepEqual(later.events, ['Normal SuccessfulRescale: New size: 1; reason: All metrics below target']);
  });

  it('keeps within the bounds before it looks at any metric', async () => {
    assert.deepEqual((await run({ replicas: 12 })).events, [
      'Normal SuccessfulRescale: New size: 10; reason: Current number of replicas above Spec.MaxReplicas',
    ]);
    assert.deepEqual((await run({ replicas: 1, spec: { minReplicas: 3 } })).events, [
      'Normal SuccessfulRescale: New size: 3; reason: Current number of replicas below Spec.MinReplicas',
    ]);
    const off = await run({ replicas: 0 });
    assert.deepEqual([off.resized, off.conditions[1]], [[], 'ScalingActive=False ScalingDisabled']);
  });

  it('says what it could not read', async () => {
    const { result, events, conditions, messages } = await run({});
    const cause =
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: gone';
    assert.deepEqual(events, [
      `Warning FailedGetResourceMetric: ${cause}`,
      `Warning FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${cause}`,
    ]);
    assert.deepEqual(conditions, ['AbleToScale=True SucceededGetScale', 'ScalingActive=False FailedGetResourceMetric']);
    assert.equal(messages[1], `the HPA was unable to compute the replica count: ${cause}`);
    assert.equal(result.status?.hasScaled, false);
  });

  const pods: MetricSpec = { type: 'Pods', pods: { metric: { name: 'qps' }, target: { type: 'AverageValue', averageValue: '10' } } };

  it('grows on the metrics that it can read, but does not shrink', async () => {
    assert.deepEqual((await run({ usage: 900, spec: { metrics: [pods, cpu(50)] } })).resized, [4]);
    const down = await run({
      usage: 100,
      replicas: 4,
      spec: { metrics: [pods, cpu(50)] },
      input: { history: { recommendations: [], scaleUps: [], scaleDowns: [] } },
    });
    assert.deepEqual([down.resized, down.conditions[1]], [[], 'ScalingActive=False FailedGetPodsMetric']);
    assert.equal(
      down.messages[1],
      'the HPA was unable to compute the replica count: unable to get metric qps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered',
    );
  });

  it('wants every container to say what it requests', async () => {
    const bare = podsOf(2).map((pod) => ({ ...pod, spec: { containers: [{ name: 'main' }] } }));
    const { events } = await run({ usage: 100, input: { pods: () => bare } });
    assert.equal(
      events[0],
      'Warning FailedGetResourceMetric: failed to get cpu utilization: missing request for cpu in container main of Pod p0',
    );
  });

  it('cannot do without a selector, nor with one that is shared', async () => {
    assert.deepEqual((await run({ usage: 1, selector: '' })).events[0], 'Warning SelectorRequired: selector is required');
    const shared = await run({ usage: 1, input: { rivals: () => ['ns/a', 'ns/web'] } });
    assert.equal(shared.events[0], 'Warning AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [ns/a ns/web]');
  });

  it('says so where there is no target, and where it cannot be resized', async () => {
    const gone = await run({ input: { readTarget: fails('deployments.apps "web" not found') } });
    assert.deepEqual(
      [gone.events, gone.conditions],
      [['Warning FailedGetScale: deployments.apps "web" not found'], ['AbleToScale=False FailedGetScale']],
    );
    const scale = { metadata: { name: 'web' }, spec: { replicas: 2 }, status: { replicas: 2, selector: 'app=web' } };
    const stuck = await run({ usage: 900, input: { readTarget: async () => ({ scale, resize: fails('no') }) } });
    assert.deepEqual(stuck.events, [
      'Warning FailedRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target; error: no',
    ]);
    assert.equal(stuck.conditions[0], 'AbleToScale=False FailedUpdateScale');
  });
});

describe('metric readings', () => {
  /** A server that has only what is given, by path. */
  const serving = (documents: Readonly<Record<string, unknown>>, asked: string[] = []): Transport => {
    return async ({ path, query }): Promise<APIResponse> => {
      asked.push(query === '' ? path : `${path}?${query}`);
      const found = documents[path];
      const status = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'NotFound',
        code: 404,
        message: 'the server could not find the requested resource',
      };
      const bytes = new TextEncoder().encode(JSON.stringify(found ?? status));
      return { status: found ? 200 : 404, headers: { 'content-type': 'application/json' }, body: { kind: 'bytes', bytes } };
    };
  };
  const readerOf = (transport: Transport) => createMetricReader(createClient(transport), 'ns', new AbortController().signal);
  const podsOfMetrics = {
    kind: 'PodMetricsList',
    items: [
      {
        metadata: { name: 'p0', namespace: 'ns' },
        timestamp: now,
        window: '15.5s',
        containers: [
          { name: 'a', usage: { cpu: '100m', memory: '1Ki' } },
          { name: 'b', usage: { cpu: '50500u' } },
        ],
      },
    ],
  };

  it('of resources: all containers or one', async () => {
    const asked: string[] = [];
    const reader = readerOf(serving({ '/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods': podsOfMetrics }, asked));
    assert.deepEqual([...(await reader.resource('cpu', 'app=web'))], [['p0', { value: 151, timeMs: nowMs, windowMs: 15_500 }]]);
    assert.deepEqual(
      [...(await reader.resource('cpu', 'app=web', 'b')).values()].map(({ value }) => value),
      [51],
    );
    assert.equal((await reader.resource('memory', 'app=web')).size, 0, 'one container does not say');
    assert.ok(
      asked.some((path) => path.includes('labelSelector=app%3Dweb')),
      asked.join(),
    );
    await assert.rejects(
      reader.resource('cpu', '', 'c'),
      /failed to get container metrics: container c not present in metrics for pod ns\/p0/,
    );
  });

  it('of the custom API, in the newest version there is', async () => {
    const items = [{ describedObject: { name: 'p0' }, timestamp: now, windowSeconds: 30, value: '2500m' }];
    const asked: string[] = [];
    const reader = readerOf(
      serving(
        {
          '/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/*/qps': { items },
          '/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/ingresses.networking.k8s.io/main/hits': { items },
          '/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/metrics/load': { items },
          '/apis/networking.k8s.io/v1': { resources: [{ name: 'ingresses', kind: 'Ingress', namespaced: true }] },
        },
        asked,
      ),
    );
    const selector = { matchLabels: { verb: 'get' } };
    assert.deepEqual(
      [...(await reader.pods({ name: 'qps', selector }, 'app=web'))],
      [['p0', { value: 2500, timeMs: nowMs, windowMs: 30_000 }]],
    );
    assert.ok(
      asked.some((path) => path.endsWith('pods/*/qps?metricLabelSelector=verb%3Dget&labelSelector=app%3Dweb')),
      asked.join('\n'),
    );
    assert.equal(await reader.object({ name: 'hits' }, { kind: 'Ingress', name: 'main', apiVersion: 'networking.k8s.io/v1' }), 2500);
    assert.equal(await reader.object({ name: 'load' }, { kind: 'Namespace', name: 'ns', apiVersion: 'v1' }), 2500);
  });

  it('of the external API, added up', async () => {
    const reader = readerOf(
      serving({ '/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/queue': { items: [{ value: '3' }, { value: '4' }] } }),
    );
    assert.equal(await reader.external({ name: 'queue' }), 7000);
    await assert.rejects(
      reader.external({ name: 'other' }),
      /unable to fetch metrics from external metrics API: the server could not find/,
    );
  });

  it('says that nobody serves an API', async () => {
    await assert.rejects(readerOf(serving({})).pods({ name: 'qps' }, ''), /no custom metrics API \(custom\.metrics\.k8s\.io\) registered/);
  });

  it('finds what is scaled by its kind', async () => {
    const client = createClient(
      serving({
        '/apis/apps/v1': {
          resources: [
            { name: 'deployments/scale', kind: 'Scale', namespaced: true },
            { name: 'deployments', kind: 'Deployment', namespaced: true },
          ],
        },
        '/apis/apps/v1/namespaces/ns/deployments/web/scale': { metadata: { name: 'web' }, spec: { replicas: 3 } },
      }),
    );
    const { signal } = new AbortController();
    const { scale } = await readScaleTarget(client, 'ns', { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, signal);
    assert.equal(scale.spec?.replicas, 3);
    await assert.rejects(
      readScaleTarget(client, 'ns', { apiVersion: 'apps/v1', kind: 'Nothing', name: 'web' }, signal),
      /no matches for kind "Nothing" in group "apps"/,
    );
  });
});
