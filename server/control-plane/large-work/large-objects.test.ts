import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { encodeProtobuf } from '../../../api/serialization/protobuf/protobuf.ts';
import type { LargeWork } from '../../apiserver/registry/large-objects/large-work.ts';
import { type Answer, type APICaller, createAPICaller } from '../../apiserver/testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from '../../apiserver/testing/complete-server.ts';
import { createLargeWorkPool, type LargeWorkPool } from './large-work-pool.ts';

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const configMap = (name: string, keys: number, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: Object.fromEntries(times(keys, (index) => [`k${index}`, 'x'.repeat(20)])),
  ...more,
});
const pod = (name: string, containers: number, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: times(containers, (index) => ({ name: `c${index}`, image: 'a', env: [{ name: 'A', value: '1' }] })), ...more },
});
const core = '/api/v1/namespaces/default';

type Step = readonly [method: string, target: string, contentType: string, body: string | Uint8Array];

const json = 'application/json';
const steps: Readonly<Record<string, readonly Step[]>> = {
  'create, replace and patch a ConfigMap': [
    ['POST', `${core}/configmaps`, json, JSON.stringify(configMap('a', 2000))],
    ['PUT', `${core}/configmaps/a`, json, JSON.stringify(configMap('a', 2001, { binaryData: { b: 'AAAA' } }))],
    ['PUT', `${core}/configmaps/a?fieldManager=other`, json, JSON.stringify(configMap('a', 2))],
    ['PUT', `${core}/configmaps/a`, json, JSON.stringify(configMap('a', 2000))],
    ['PATCH', `${core}/configmaps/a`, 'application/merge-patch+json', '{"data":{"k1":null,"new":"1"}}'],
    ['PATCH', `${core}/configmaps/a`, 'application/merge-patch+json', '{"data":{"new":"1"}}'],
    ['PATCH', `${core}/configmaps/a`, 'application/json-patch+json', '[{"op":"remove","path":"/data/k2"}]'],
    ['PATCH', `${core}/configmaps/a`, 'application/json-patch+json', '[{"op":"remove","path":"/data/none"}]'],
    ['PATCH', `${core}/configmaps/a`, 'application/strategic-merge-patch+json', '{"metadata":{"labels":{"a":"b"}}}'],
    ['PATCH', `${core}/configmaps/a`, 'application/merge-patch+json', '{"metadata":{"name":"b"}}'],
    ['PATCH', `${core}/configmaps/a?fieldManager=x`, 'application/apply-patch+yaml', JSON.stringify(configMap('a', 1500))],
    [
      'PATCH',
      `${core}/configmaps/a?fieldManager=x&force=true`,
      'application/apply-patch+yaml',
      JSON.stringify(configMap('a', 1500, { immutable: true })),
    ],
    ['PUT', `${core}/configmaps/a`, json, JSON.stringify(configMap('a', 1999))],
    ['PUT', `${core}/configmaps/b`, json, JSON.stringify(configMap('b', 2000))],
    ['PUT', `${core}/configmaps/b`, json, JSON.stringify(configMap('c', 2000))],
    ['PATCH', `${core}/configmaps/b`, 'application/merge-patch+json', `{"data":{"a":"${'x'.repeat(40_000)}"}}`],
  ],
  'apply a new ConfigMap': [
    ['PATCH', `${core}/configmaps/new?fieldManager=x`, 'application/apply-patch+yaml', JSON.stringify(configMap('new', 2000))],
    ['PATCH', `${core}/configmaps/new?fieldManager=x`, 'application/apply-patch+yaml', JSON.stringify(configMap('new', 2000))],
  ],
  'refuse what cannot be read': [
    ['POST', `${core}/configmaps`, json, `${JSON.stringify(configMap('a', 2000))}}`],
    ['POST', `${core}/configmaps`, json, JSON.stringify({ ...configMap('a', 2000), kind: 'Pod' })],
    ['POST', `${core}/configmaps`, 'text/plain', JSON.stringify(configMap('a', 2000))],
    ['POST', `${core}/configmaps`, 'application/yaml', `${'a: b\n'.repeat(1)}{${'x'.repeat(40_000)}`],
    ['POST', `${core}/configmaps?fieldValidation=Strict`, json, JSON.stringify(configMap('a', 2000, { unknown: 1 }))],
    ['POST', `${core}/configmaps`, json, JSON.stringify(configMap('A b', 2000))],
    ['POST', `${core}/configmaps`, json, JSON.stringify(configMap('a', 2000, { metadata: { name: 'a', namespace: 'other' } }))],
    ['PATCH', `${core}/configmaps/none`, 'application/merge-patch+json', JSON.stringify(configMap('none', 2000))],
  ],
  'create Pods with their defaults, warnings and admission': [
    [
      'POST',
      `${core}/pods?fieldValidation=Warn`,
      json,
      JSON.stringify(pod('p', 500, { nodeSelector: { 'beta.kubernetes.io/os': 'linux' }, foo: 1 })),
    ],
    ['PATCH', `${core}/pods/p`, 'application/strategic-merge-patch+json', '{"spec":{"containers":[{"name":"c1","image":"b"}]}}'],
    ['PATCH', `${core}/pods/p`, 'application/strategic-merge-patch+json', '{"spec":{"containers":[{"name":"c1","env":[]}]}}'],
    ['PATCH', `${core}/pods/p/status`, 'application/merge-patch+json', '{"status":{"phase":"Running","message":"m"}}'],
    ['POST', `${core}/pods`, json, JSON.stringify(pod('q', 500, { restartPolicy: 'Sometimes' }))],
    ['POST', `${core}/pods`, 'application/yaml', JSON.stringify(pod('y', 500))],
    ['POST', `${core}/pods`, 'application/vnd.kubernetes.protobuf', encodeProtobuf(pod('proto', 500) as never)],
    ['POST', `${core}/pods?dryRun=All`, json, JSON.stringify(pod('d', 500))],
  ],
  'allocate for Services and convert what is stored otherwise': [
    [
      'POST',
      `${core}/services`,
      json,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's', annotations: { a: 'x'.repeat(40_000) } },
        spec: {
          clusterIP: '10.96.0.77',
          clusterIPs: ['10.96.0.77'],
          ports: times(50, (index) => ({ name: `p${index}`, port: index + 1 })),
        },
      }),
    ],
    ['PATCH', `${core}/services/s`, 'application/merge-patch+json', '{"spec":{"sessionAffinity":"ClientIP"}}'],
    ['PATCH', `${core}/services/s`, 'application/merge-patch+json', '{"spec":{"clusterIP":"10.96.0.78"}}'],
    [
      'POST',
      '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers',
      json,
      JSON.stringify({
        apiVersion: 'autoscaling/v1',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'h', annotations: { a: 'x'.repeat(40_000) } },
        spec: {
          maxReplicas: 3,
          targetCPUUtilizationPercentage: 7,
          scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
        },
      }),
    ],
  ],
  'answer questions': [
    [
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      json,
      JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        unknown: 1,
        spec: {
          resourceAttributes: {
            verb: 'list',
            resource: 'pods',
            labelSelector: { requirements: times(1200, (index) => ({ key: `a${index}`, operator: 'Exists' })) },
          },
        },
      }),
    ],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', json, `{"spec":"${'x'.repeat(270_000)}"}`],
    ['DELETE', `${core}/configmaps/none`, json, JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', dryRun: ['x'.repeat(40_000)] })],
  ],
};

/** The answer without what differs from one server to the next. */
function comparable({ status, headers, text }: Answer): object {
  const plain = text
    .replaceAll(/"uid":"[^"]*"/g, '"uid":""')
    .replaceAll(/"(resourceVersion|creationTimestamp|time|startTime|lastTransitionTime)":"[^"]*"/g, '"$1":""')
    .replaceAll(/kube-api-access-\w+/g, 'kube-api-access-');
  return { status, warning: headers['warning'], text: plain };
}

describe('large objects', function () {
  this.timeout(120_000);
  let here: CompleteServer;
  let elsewhere: CompleteServer;
  let pool: LargeWorkPool;
  const kinds = new Set<string>();
  before(async () => {
    pool = createLargeWorkPool({ clock: systemClock, logger: silentLogger, threads: 1 });
    const counting: LargeWork = {
      ...pool,
      run(task, signal) {
        kinds.add(task.kind);
        return pool.run(task, signal);
      },
    };
    [here, elsewhere] = await Promise.all([startCompleteServer(), startCompleteServer(undefined, {}, {}, { largeWork: counting })]);
  });
  after(async () => {
    await Promise.all([here.close(), elsewhere.close(), pool.close()]);
  });

  for (const [name, requests] of Object.entries(steps)) {
    it(`are answered by a worker thread as by the server itself: ${name}`, async () => {
      const callers = [here, elsewhere].map(({ server }) => createAPICaller(server.transport));
      for (const [method, target, contentType, body] of requests) {
        const call = async (caller: APICaller) => comparable(await caller.call(method, target, { body, contentType }));
        const [expected, found] = await Promise.all(callers.map(call));
        assert.deepEqual(found, expected, `${method} ${target}`);
      }
    });
  }

  it('are written in YAML and protobuf by a worker thread as by the server itself', async () => {
    const callers = [here, elsewhere].map(({ server }) => createAPICaller(server.transport));
    const body = JSON.stringify(pod('read', 500));
    for (const accept of ['application/yaml', 'application/vnd.kubernetes.protobuf', json]) {
      const read = async (caller: APICaller) => {
        const { status, headers, text } = await caller.call('POST', `${core}/pods?dryRun=All`, { body, headers: { accept } });
        // Times, uids and names of volumes are as long on either server.
        return { status, type: headers['content-type'], length: text.length };
      };
      const [expected, found] = await Promise.all(callers.map(read));
      assert.deepEqual(found, expected);
      assert.equal(found?.type, accept);
    }
    await Promise.all(callers.map((caller) => caller.post(`${core}/configmaps`, configMap('read', 2000))));
    for (const accept of ['application/yaml', 'application/vnd.kubernetes.protobuf']) {
      const [expected, found] = await Promise.all(callers.map((caller) => caller.get(`${core}/configmaps/read`, { accept })));
      const plain = (answer: Answer | undefined) =>
        answer?.text.replaceAll(/[\da-f]{8}-[\da-f-]{27}|[\d-]+T[\d:]+Z|resourceVersion: "\d+"/g, '');
      if (accept === 'application/yaml') assert.equal(plain(found), plain(expected));
      assert.equal(found?.headers['content-type'], accept);
    }
  });

  it('have been in the worker thread for all kinds of tasks', () =>
    assert.deepEqual([...kinds].toSorted(), ['decode', 'encode', 'own', 'patch', 'read', 'settle']));

  it('do not hold the event loop', async () => {
    for (const body of [pod('many', 9000), configMap('keys', 30_000)]) {
      const bytes = Buffer.from(JSON.stringify(body));
      const send = ({ server }: CompleteServer) =>
        server.transport({
          method: 'POST',
          path: `${core}/${body.kind.toLowerCase()}s`,
          query: 'dryRun=All',
          headers: { 'content-type': json, 'user-agent': 'test' },
          body: bytes,
          signal: new AbortController().signal,
          user: { name: 'admin', groups: ['system:masters', 'system:authenticated'] },
        });
      const longest = async (complete: CompleteServer) => {
        const turns: number[] = [];
        // Garbage is collected when it is.
        for (let run = 0; run < 4; run++) turns.push(await longestTurn(() => send(complete)));
        return Math.min(...turns);
      };
      const [whole, parts] = [await longest(here), await longest(elsewhere)];
      assert.ok(parts < whole / 2, `${parts.toFixed(0)} ms instead of ${whole.toFixed(0)} ms`);
    }
  });
});

/** Most processor time that a turn of the event loop has taken meanwhile, in milliseconds. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  const now = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let longest = 0;
  let last = now();
  let isOver = false;
  const turn = () => {
    const present = now();
    longest = Math.max(longest, present - last);
    last = present;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  turn();
  return longest;
}
