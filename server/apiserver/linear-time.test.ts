import assert from 'node:assert/strict';
import { type APICaller, createAPICaller } from './testing/api-caller.ts';
import { type CompleteServer, startCompleteServer } from './testing/complete-server.ts';
import { threadTimeOf } from './testing/thread-time.ts';

const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const pods = '/api/v1/namespaces/default/pods?dryRun=All';
const configMaps = '/api/v1/namespaces/default/configmaps';

interface Attack {
  readonly name: string;
  /** With which half of the work has to take half of the time. */
  readonly size: number;
  readonly target: string;
  readonly method?: string;
  readonly contentType?: string;
  readonly body: (size: number) => string;
  readonly statuses: readonly number[];
}

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const keys = (count: number, value: string) => Object.fromEntries(times(count, (index) => [`k${index}`, value]));
const configMap = (content: object) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...content });
const review = (content: object) =>
  JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: 'list', resource: 'pods' } },
    ...content,
  });
const pod = (spec: object, metadata: object = {}) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', ...metadata }, spec });
const container = { name: 'a', image: 'b' };
const owner = (index: number) => ({ apiVersion: 'v1', kind: 'X', name: 'a', uid: String(index) });
const selecting = (labelSelector: object) => review({ spec: { resourceAttributes: { verb: 'list', resource: 'pods', labelSelector } } });

const attacks: readonly Attack[] = [
  {
    name: 'owners',
    size: 4000,
    target: `${configMaps}?dryRun=All`,
    body: (n) => configMap({ metadata: { name: 'a', ownerReferences: times(n, owner) } }),
    statuses: [201],
  },
  {
    name: 'owners of a Pod that all claim to be its controller',
    size: 1000,
    target: pods,
    body: (n) => pod({ containers: [container] }, { ownerReferences: times(n, (index) => ({ ...owner(index), controller: true })) }),
    statuses: [422],
  },
  {
    name: 'YAML documents',
    size: 100_000,
    target: `${configMaps}?dryRun=All`,
    contentType: 'application/yaml',
    body: (n) => '---\n'.repeat(n),
    statuses: [422],
  },
  {
    name: 'YAML anchors',
    size: 10_000,
    target: `${configMaps}?dryRun=All`,
    contentType: 'application/yaml',
    body: (n) => `a:\n${times(n, (index) => `- &a${index} b`).join('\n')}`,
    statuses: [422],
  },
  {
    name: 'digits of a number',
    size: 400_000,
    target: `${configMaps}?dryRun=All`,
    body: (n) => `{"data":${'9'.repeat(n)}}`,
    statuses: [400],
  },
  {
    name: 'repeated members at a great depth',
    size: 10_000,
    target: `${configMaps}?dryRun=All`,
    body: (n) => `${'{"a":'.repeat(900)}{${'"b":1,'.repeat(n)}"c":1}${'}'.repeat(900)}`,
    statuses: [422],
  },
  {
    name: 'members after unknown and repeated ones at a great depth',
    size: 10_000,
    target: `${configMaps}?dryRun=All`,
    body: (n) => `${'{"a":'.repeat(900)}{"b":1,"b":2,${times(n, (index) => `"c${index}":1,`).join('')}"d":1}${'}'.repeat(900)}`,
    statuses: [422],
  },
  {
    name: 'labels',
    size: 10_000,
    target: `${configMaps}?dryRun=All`,
    body: (n) => configMap({ metadata: { name: 'a', labels: keys(n, '') } }),
    statuses: [201],
  },
  {
    name: 'requirements of a selector',
    size: 2500,
    target: reviews,
    body: (n) => selecting({ requirements: times(n, (index) => ({ key: `a${index}`, operator: 'Exists' })) }),
    statuses: [201],
  },
  {
    name: 'a raw selector',
    size: 15_000,
    target: reviews,
    body: (n) => selecting({ rawSelector: times(n, (index) => `a${index}`).join(',') }),
    statuses: [201],
  },
  {
    name: 'containers of one name',
    size: 2500,
    target: pods,
    body: (n) => pod({ containers: times(n, () => container) }),
    statuses: [422],
  },
  ...['9', '0.3'].map((digit) => ({
    name: `digits of a quantity: ${digit}`,
    size: 100_000,
    target: pods,
    body: (n: number) => pod({ containers: [{ ...container, resources: { requests: { cpu: digit + digit.at(-1)?.repeat(n) } } }] }),
    statuses: [400],
  })),
  {
    name: 'ports of one number',
    size: 5000,
    target: pods,
    body: (n) => pod({ containers: [{ ...container, ports: times(n, () => ({ containerPort: 80, hostPort: 80 })) }] }),
    statuses: [422],
  },
  {
    name: 'mounts beside devices',
    size: 2000,
    target: pods,
    body: (n) =>
      pod({
        containers: [
          {
            ...container,
            volumeMounts: times(n, (index) => ({ name: `v${index}`, mountPath: `/${index}` })),
            volumeDevices: times(n, (index) => ({ name: `w${index}`, devicePath: `/d${index}` })),
          },
        ],
        volumes: times(n, (index) => ({ name: `v${index}`, emptyDir: {} })),
      }),
    statuses: [422],
  },
  {
    name: 'resources',
    size: 3000,
    target: pods,
    body: (n) => pod({ containers: [{ ...container, resources: { limits: keys(n, '1') } }] }),
    statuses: [422],
  },
  {
    name: 'keys of a ConfigMap',
    size: 8000,
    target: `${configMaps}?dryRun=All`,
    body: (n) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: keys(n, '') }),
    statuses: [201],
  },
  {
    name: 'applied keys of a ConfigMap',
    size: 8000,
    target: `${configMaps}/applied?dryRun=All&fieldManager=a`,
    method: 'PATCH',
    contentType: 'application/apply-patch+yaml',
    body: (n) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: keys(n, '') }),
    statuses: [201],
  },
  {
    name: 'managers of fields',
    size: 1000,
    target: `${configMaps}?dryRun=All`,
    body: (n) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'a',
          managedFields: times(n, (index) => ({
            manager: `m${index}`,
            operation: 'Update',
            apiVersion: 'v1',
            time: '2026-01-02T03:04:05Z',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { [`f:k${index}`]: {} } },
          })),
        },
      }),
    statuses: [201],
  },
];

describe('the time that a request takes grows with its body and not with the square of it:', () => {
  let complete: CompleteServer;
  let caller: APICaller;
  before(async () => {
    complete = await startCompleteServer();
    caller = createAPICaller(complete.server.transport);
  });
  after(() => complete.close());

  for (const { name, size, target, method = 'POST', contentType = 'application/json', body, statuses } of attacks) {
    it(name, async function () {
      this.timeout(120_000);
      const spent = async (count: number) => {
        const text = body(count);
        return threadTimeOf(async () => {
          const { status } = await caller.call(method, target, { body: text, contentType });
          assert.ok(statuses.includes(status), `answered ${status}`);
        });
      };
      await spent(size >> 3);
      const half = Math.min(await spent(size), await spent(size));
      const whole = Math.min(await spent(2 * size), await spent(2 * size));
      // Time for work that does not grow, and for garbage collection, which comes when it comes.
      const allowance = 40;
      assert.ok(whole < 3 * half + allowance, `${half.toFixed(1)} ms for ${size}, ${whole.toFixed(1)} ms for twice as much`);
    });
  }
});
