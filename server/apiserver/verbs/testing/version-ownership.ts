import type { APICaller } from '../../testing/api-caller.ts';

/** One write of an object in one of the versions of its kind. */
interface OwnershipStep {
  readonly method: 'APPLY' | 'POST' | 'MERGE';
  readonly version: string;
  readonly manager: string;
  readonly force?: boolean;
  readonly body: object;
}

/** An object of a kind with several versions, and the writes that it goes through. */
export interface OwnershipCase {
  readonly name: string;
  readonly path: (version: string) => string;
  readonly kind: string;
  readonly object: string;
  readonly steps: readonly (OwnershipStep | { readonly served: readonly string[] })[];
}

const widgets = (version: string) => `/apis/${version}/namespaces/default/widgets`;
const hpas = (version: string) => `/apis/${version}/namespaces/default/horizontalpodautoscalers`;
const events = (version: string) => `/${version === 'v1' ? 'api' : 'apis'}/${version}/namespaces/default/events`;

const target = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5 };
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
});
const event = { reason: 'Tested', type: 'Normal' };
const regarding = { kind: 'Pod', namespace: 'default', name: 'web' };
const times = { eventTime: '2026-01-01T00:00:00.000000Z', reportingController: 'tests', reportingInstance: 'one', action: 'Test' };

/** Writes by several managers in several versions: who owns what afterwards, and which of them conflict. */
export const ownershipCases: readonly OwnershipCase[] = [
  {
    name: 'a manager of the former version loses what the newer one changes',
    path: hpas,
    kind: 'HorizontalPodAutoscaler',
    object: 'changed',
    steps: [
      { method: 'APPLY', version: 'autoscaling/v1', manager: 'a', body: { spec: { ...target, targetCPUUtilizationPercentage: 50 } } },
      { method: 'MERGE', version: 'autoscaling/v2', manager: 'b', body: { spec: { metrics: [cpu(60)] } } },
      { method: 'MERGE', version: 'autoscaling/v2', manager: 'b', body: { spec: { maxReplicas: 7 } } },
    ],
  },
  {
    name: 'an apply conflicts with the manager of another version',
    path: hpas,
    kind: 'HorizontalPodAutoscaler',
    object: 'conflicting',
    steps: [
      { method: 'APPLY', version: 'autoscaling/v2', manager: 'b', body: { spec: { ...target, metrics: [cpu(60)] } } },
      { method: 'APPLY', version: 'autoscaling/v1', manager: 'a', body: { spec: { targetCPUUtilizationPercentage: 50 } } },
      { method: 'APPLY', version: 'autoscaling/v1', manager: 'a', force: true, body: { spec: { targetCPUUtilizationPercentage: 50 } } },
      { method: 'APPLY', version: 'autoscaling/v2', manager: 'b', body: { spec: { ...target, metrics: [cpu(70)] } } },
    ],
  },
  {
    name: 'an applier goes on in another version, and leaves out what it applied',
    path: hpas,
    kind: 'HorizontalPodAutoscaler',
    object: 'moved',
    steps: [
      {
        ...{ method: 'APPLY', version: 'autoscaling/v1', manager: 'a' },
        body: { metadata: { labels: { kept: 'no' } }, spec: { ...target, minReplicas: 2, targetCPUUtilizationPercentage: 50 } },
      },
      { method: 'APPLY', version: 'autoscaling/v2', manager: 'a', body: { spec: { ...target, metrics: [cpu(50)] } } },
      { method: 'APPLY', version: 'autoscaling/v1', manager: 'a', body: { spec: target } },
    ],
  },
  {
    name: 'an Event is known in two groups',
    path: events,
    kind: 'Event',
    object: 'grouped',
    steps: [
      {
        ...{ method: 'POST', version: 'events.k8s.io/v1', manager: 'a' },
        body: { ...event, ...times, note: 'one', regarding },
      },
      { method: 'APPLY', version: 'v1', manager: 'b', body: { involvedObject: regarding, message: 'two' } },
      { method: 'APPLY', version: 'v1', manager: 'b', force: true, body: { involvedObject: regarding, message: 'two' } },
    ],
  },
  {
    name: 'a custom kind has lists of other types in other versions',
    path: widgets,
    kind: 'Widget',
    object: 'listed',
    steps: [
      {
        ...{ method: 'APPLY', version: 'versions.example.com/v1', manager: 'a' },
        body: {
          spec: {
            color: 'red',
            ports: [
              { name: 'x', port: 1 },
              { name: 'y', port: 2 },
            ],
          },
        },
      },
      {
        ...{ method: 'MERGE', version: 'versions.example.com/v2', manager: 'b' },
        body: {
          spec: {
            ports: [
              { name: 'x', port: 3 },
              { name: 'y', port: 2 },
            ],
          },
        },
      },
      { method: 'APPLY', version: 'versions.example.com/v1', manager: 'c', body: { spec: { ports: [{ name: 'y', port: 4 }] } } },
      { method: 'APPLY', version: 'versions.example.com/v2', manager: 'c', body: { spec: { color: 'blue' } } },
      { method: 'APPLY', version: 'versions.example.com/v2', manager: 'a', body: { spec: { size: 1 } } },
    ],
  },
  {
    name: 'a manager of a version that is gone',
    path: widgets,
    kind: 'Widget',
    object: 'orphaned',
    steps: [
      { method: 'APPLY', version: 'versions.example.com/v1', manager: 'a', body: { spec: { color: 'red' } } },
      { method: 'APPLY', version: 'versions.example.com/v2', manager: 'b', body: { spec: { size: 1 } } },
      { served: ['v1'] },
      { method: 'MERGE', version: 'versions.example.com/v1', manager: 'c', body: { spec: { size: 2 } } },
      { method: 'APPLY', version: 'versions.example.com/v1', manager: 'b', body: { spec: { color: 'red' } } },
    ],
  },
];

const text = { type: 'string' };
const port = { type: 'object', required: ['name'], properties: { name: text, port: { type: 'integer' } } };
const widgetVersion = (name: string, ports: object) => ({
  ...{ name, served: true, storage: name === 'v1' },
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { color: text, size: { type: 'integer' }, ports: { type: 'array', items: port, ...ports } } },
      },
    },
  },
});
const widgetVersions = [
  widgetVersion('v1', { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  widgetVersion('v2', { 'x-kubernetes-list-type': 'atomic' }),
];
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Creates the custom kind of the cases, and waits until it is served in both versions. */
export async function prepareOwnership(api: APICaller): Promise<void> {
  const { kind, plural } = { kind: 'Widget', plural: 'widgets' };
  const created = await api.post(definitions, {
    ...{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.versions.example.com` } },
    spec: { group: 'versions.example.com', scope: 'Namespaced', names: { plural, kind }, versions: widgetVersions },
  });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  for (const version of ['v1', 'v2']) await untilStatus(api, widgets(`versions.example.com/${version}`), 200);
}

async function untilStatus(api: APICaller, path: string, status: number): Promise<void> {
  while ((await api.get(path)).status !== status) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The answer to each write of a case: the message of a failure, else the owners as `manager operation version: fields`. */
export async function runOwnershipCase(one: OwnershipCase, api: APICaller): Promise<(string | readonly string[])[]> {
  const answers: (string | readonly string[])[] = [];
  for (const step of one.steps) {
    if ('served' in step) await serveOnly(api, step.served);
    else answers.push(await write(one, step, api));
  }
  return answers;
}

async function write(one: OwnershipCase, step: OwnershipStep, api: APICaller): Promise<string | readonly string[]> {
  const { method, version, manager, force = false } = step;
  const collection = one.path(version);
  const query = `?fieldManager=${manager}${force ? '&force=true' : ''}`;
  const { metadata, ...rest } = step.body as { metadata?: object };
  const body = { apiVersion: version, kind: one.kind, metadata: { name: one.object, ...metadata }, ...rest };
  const target = `${collection}/${one.object}${query}`;
  const call = {
    APPLY: () => api.patch<Owned>(target, 'apply', body),
    MERGE: () => api.patch<Owned>(target, 'merge', body),
    POST: () => api.post<Owned>(`${collection}${query}`, body),
  };
  const answer = await call[method]();
  if (answer.status >= 300) return `${answer.status} ${messageOf(answer.text)}`;
  const owners = (answer.body.metadata.managedFields ?? []).map((entry) => {
    const { manager: owner, operation, apiVersion, fieldsV1 } = entry;
    return `${owner} ${operation} ${apiVersion}: ${JSON.stringify(sorted(fieldsV1))}`;
  });
  // Their own order is by times, which are of whole seconds.
  return owners.toSorted();
}

interface Owned {
  readonly message?: string;
  readonly metadata: {
    readonly managedFields?: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly apiVersion: string;
      readonly fieldsV1: unknown;
    }[];
  };
}

/** With the members of all objects sorted. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

async function serveOnly(api: APICaller, names: readonly string[]): Promise<void> {
  const path = `${definitions}/widgets.versions.example.com`;
  const versions = widgetVersions.filter(({ name }) => names.includes(name));
  const answer = await api.patch(path, 'merge', { spec: { versions } });
  if (answer.status !== 200) throw new Error(answer.text);
  for (const { name } of widgetVersions) await untilStatus(api, widgets(`versions.example.com/${name}`), names.includes(name) ? 200 : 404);
}

function messageOf(text: string): string {
  return text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text.trim();
}
