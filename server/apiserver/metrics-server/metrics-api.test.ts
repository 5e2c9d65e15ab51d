import assert from 'node:assert/strict';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { podMetrics, type NodeMetrics, type PodMetrics } from '../../../api/resources/metrics/v1beta1/metrics.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';
import { createMetricsServer } from './metrics-api.ts';
import type { NodeScrape } from './parse-resource-metrics.ts';

const scrape = (timeMs: number, cpuSeconds: number): NodeScrape => ({
  node: { timeMs, cpuSeconds, memoryBytes: 1 << 20 },
  pods: new Map(
    ['default/web', 'default/db', 'other/web'].map((pod) => [
      pod,
      new Map([['main', { timeMs, cpuSeconds: cpuSeconds / 2, memoryBytes: 2 << 20, startedMs: 0 }]]),
    ]),
  ),
});

interface List<T> {
  readonly kind: string;
  readonly items: readonly T[];
}

describe('metrics.k8s.io', () => {
  let server: TestAPIServer;
  let caller: APICaller;
  const at = Date.parse('2026-01-02T03:04:05Z');

  before(async () => {
    server = await startAPIServerInProcess({
      moreGroupServers: [
        (parts) =>
          createMetricsServer({
            client: parts.client,
            apiServices: parts.informers.informer(apiServices).lister,
            sampler: { windows: async () => new Map([['n1', { before: scrape(at - 10_000, 0), after: scrape(at, 4) }]]), start() {} },
          }),
      ],
    });
    caller = createAPICaller(server.transport, { name: 'admin', groups: ['system:masters'] });
    const { client } = server;
    await client(nodes).create({ metadata: { name: 'n1', labels: { zone: 'a' } } });
    await client(nodes).create({ metadata: { name: 'n2', labels: { zone: 'b' } } });
    await client(namespaces).create({ metadata: { name: 'other' } });
    for (const [namespace, name] of [
      ['default', 'web'],
      ['default', 'db'],
      ['other', 'web'],
      ['default', 'new'],
    ] as const)
      await client(pods).create({
        metadata: { namespace, name, labels: { app: name } },
        spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'i' }] },
      });
  });
  after(() => server.close());

  it('is in discovery', async () => {
    const { body } = await caller.get<{ resources: { name: string; kind: string; verbs: string[]; namespaced: boolean }[] }>(
      '/apis/metrics.k8s.io/v1beta1',
    );
    assert.deepEqual(
      body.resources.map(({ name, kind, verbs, namespaced }) => [name, kind, verbs, namespaced]),
      [
        ['nodes', 'NodeMetrics', ['get', 'list'], false],
        ['pods', 'PodMetrics', ['get', 'list'], true],
      ],
    );
  });

  it('tells of nodes that have been looked at', async () => {
    const { body } = await caller.get<List<NodeMetrics>>('/apis/metrics.k8s.io/v1beta1/nodes');
    assert.equal(body.kind, 'NodeMetricsList');
    assert.deepEqual(
      body.items.map(({ metadata, timestamp, window, usage }) => [metadata.name, metadata.labels, timestamp, window, usage]),
      [['n1', { zone: 'a' }, '2026-01-02T03:04:05Z', '10s', { cpu: '400m', memory: '1Mi' }]],
    );
    const missing = await caller.failure(caller.get('/apis/metrics.k8s.io/v1beta1/nodes/n2'));
    assert.equal(missing.message, 'nodemetrics.metrics.k8s.io "n2" not found');
  });

  const selections: [string, string, string[]][] = [
    ['all', 'pods', ['default/db', 'default/web', 'other/web']],
    ['of a namespace', 'namespaces/other/pods', ['other/web']],
    ['by label', 'pods?labelSelector=app%3Dweb', ['default/web', 'other/web']],
    ['by field', 'pods?fieldSelector=metadata.name%3Ddb', ['default/db']],
  ];
  for (const [name, path, expected] of selections) {
    it(`tells of Pods: ${name}`, async () => {
      const { body } = await caller.get<List<PodMetrics>>(`/apis/metrics.k8s.io/v1beta1/${path}`);
      assert.deepEqual(body.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort(), expected);
      assert.deepEqual(body.items[0]?.containers, [{ name: 'main', usage: { cpu: '200m', memory: '2Mi' } }]);
    });
  }

  it('is read by the client as every resource', async () => {
    const { kind, window } = await server.client(podMetrics).get({ namespace: 'default', name: 'web' });
    assert.deepEqual([kind, window], ['PodMetrics', '10s']);
  });

  it('shows tables', async () => {
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const { body } = await caller.get<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>(
      '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/web',
      { accept },
    );
    assert.deepEqual(
      [body.columnDefinitions.map(({ name }) => name), body.rows[0]?.cells],
      [
        ['Name', 'cpu', 'memory', 'Window'],
        ['web', '200m', '2Mi', '10s'],
      ],
    );
  });

  const refusals: [string, string, number][] = [
    ['POST', 'nodes', 405],
    ['DELETE', 'nodes/n1', 405],
    ['GET', 'things', 404],
    ['GET', 'namespaces/default/nodes', 404],
    ['GET', 'namespaces/default/pods/nosuch', 404],
    ['GET', 'nodes?watch=true', 405],
  ];
  for (const [method, path, code] of refusals) {
    it(`answers ${method} ${path} with ${code}`, async () => {
      const { status } = await caller.call(method, `/apis/metrics.k8s.io/v1beta1/${path}`, method === 'POST' ? { body: {} } : {});
      assert.equal(status, code);
    });
  }

  it('is not shown to just anybody', async () => {
    const user = createAPICaller(server.transport, { name: 'jane', groups: ['system:authenticated'] });
    assert.equal((await user.get('/apis/metrics.k8s.io/v1beta1/nodes')).status, 403);
  });

  it('gives way to an APIService that names somebody else, and comes back after it', async () => {
    const key = { namespace: '', name: 'v1beta1.metrics.k8s.io' };
    await server.client(apiServices).create({
      metadata: { name: key.name },
      spec: {
        ...{ group: 'metrics.k8s.io', version: 'v1beta1', groupPriorityMinimum: 100, versionPriority: 100 },
        ...{ service: { namespace: 'kube-system', name: 'metrics-server' }, insecureSkipTLSVerify: true },
      },
    });
    const until = async (isThere: boolean) => {
      for (let turn = 0; turn < 200; turn++) {
        if (((await caller.get('/apis/metrics.k8s.io/v1beta1/nodes')).status === 200) === isThere) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.fail(`metrics.k8s.io is ${isThere ? 'not ' : ''}served`);
    };
    await until(false);
    await server.client(apiServices).delete(key);
    await until(true);
  });
});
