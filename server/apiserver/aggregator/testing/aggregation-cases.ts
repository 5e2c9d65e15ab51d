import type { SeenRequest } from './extension-server.ts';
import { type ExtensionServer, extensionGroup } from './extension-server.ts';

/** Sends one request to an API server as its administrator, over HTTP/1.1. */
export type Ask = (
  method: string,
  target: string,
  options?: { readonly headers?: Readonly<Record<string, string | readonly string[]>>; readonly body?: string },
) => Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly text: string }>;

/** The row of a table that is the same for each API server. */
export interface AggregationRow {
  readonly what: string;
  readonly result: unknown;
}

const group = `/apis/${extensionGroup}`;
const name = `v1.${extensionGroup}`;
const services = '/api/v1/namespaces/ext/services';
const registration = '/apis/apiregistration.k8s.io/v1/apiservices';

/** Requests that are passed on; the answer shows what the extension server received. */
const proxied: readonly {
  readonly what: string;
  readonly method?: string;
  readonly target: string;
  readonly headers?: Record<string, string | readonly string[]>;
  readonly body?: string;
}[] = [
  { what: 'get', target: `${group}/v1/namespaces/a/echoes/b` },
  { what: 'list with a query', target: `${group}/v1/echoes?limit=5&labelSelector=a%3Db+c&b=2&a=1` },
  {
    what: 'create',
    method: 'POST',
    target: `${group}/v1/namespaces/a/echoes`,
    body: '{"kind":"Echo"}',
    headers: { 'content-type': 'application/json' },
  },
  {
    what: 'patch',
    method: 'PATCH',
    target: `${group}/v1/namespaces/a/echoes/b`,
    body: '{}',
    headers: { 'content-type': 'application/merge-patch+json' },
  },
  { what: 'delete', method: 'DELETE', target: `${group}/v1/namespaces/a/echoes/b` },
  { what: 'escaped path', target: `${group}/v1/namespaces/a/echoes/b%20c%3Fd%2Fe` },
  { what: 'discovery below the version', target: `${group}/v1/` },
  {
    what: 'identity of another',
    target: `${group}/v1/echoes/who`,
    headers: {
      'impersonate-user': 'jane',
      'impersonate-group': ['dev', 'a,b', 'system:masters'],
      'impersonate-uid': '7',
      'impersonate-extra-scopes%2fx': ['one', 'two'],
    },
  },
  {
    what: 'identity that the client claims',
    target: `${group}/v1/echoes/who`,
    headers: {
      'x-remote-user': 'root',
      'x-remote-group': 'system:masters',
      'x-remote-uid': '0',
      'x-remote-extra-a': 'b',
      'X-Remote-Extra-Key': 'c',
    },
  },
  {
    what: 'headers',
    target: `${group}/v1/echoes/h`,
    headers: {
      ...{
        'x-forwarded-for': '10.1.1.1',
        'x-forwarded-host': 'h',
        'x-forwarded-proto': 'p',
        'x-forwarded-uri': '/u',
        'x-real-ip': '10.2.2.2',
      },
      ...{ cookie: 'a=b', 'accept-encoding': 'gzip', 'user-agent': 'cases/1', 'audit-id': '11111111-2222-3333-4444-555555555555' },
      ...{
        connection: 'x-mine, close',
        'x-mine': '1',
        te: 'trailers',
        'proxy-authorization': 'Basic eA==',
        'keep-alive': 'timeout=5',
        'x-kept': '1',
      },
    },
  },
  ...[200, 201, 204, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503].map((status) => ({
    what: `status ${status}`,
    target: `${group}/v1/echoes/status-${status}`,
  })),
  { what: 'redirect', target: `${group}/v1/echoes/status-302?location=http%3A%2F%2F169.254.169.254%2Flatest` },
  { what: 'redirect on itself', target: `${group}/v1/echoes/status-301?location=%2Fapis%2Fx` },
  { what: 'created with a location', target: `${group}/v1/echoes/status-201?location=%2Fapis%2Fx` },
  { what: 'another version', target: `${group}/v2/echoes` },
  { what: 'version as a prefix', target: `${group}/v1x/echoes` },
  { what: 'OpenAPI v3 of the group', target: `/openapi/v3/apis/${extensionGroup}/v1` },
];

const volatileHeaders: ReadonlySet<string> = new Set([
  'date',
  'audit-id',
  'x-kubernetes-pf-flowschema-uid',
  'x-kubernetes-pf-prioritylevel-uid',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'strict-transport-security',
]);

/** The lines that came, without those that differ from run to run or say nothing. */
function seenLines(seen: SeenRequest): string[] {
  const fixed = seen.lines.map(
    ([header, value]) => `${header.toLowerCase()}: ${header.toLowerCase() === 'audit-id' && !value.startsWith('1111') ? 'ID' : value}`,
  );
  return fixed.filter((line) => !/^(connection|content-length|transfer-encoding|host):/.test(line)).toSorted();
}

/** Puts an APIService and its Service through all their situations, and sends requests of all kinds. */
export async function* runAggregationCases(ask: Ask, extension: ExtensionServer): AsyncGenerator<AggregationRow> {
  const plain = (text: string) =>
    text
      .replaceAll(`${extension.address}:${extension.port}`, 'ENDPOINT')
      .replaceAll(String(extension.port), 'PORT')
      .replace(/\d+\.\d+\.\d+\.\d+:\d+/g, 'ADDRESS')
      .replace(/X509SHA256=[\da-f]+/, 'X509SHA256=HASH');
  const put = async (method: string, target: string, body: unknown) => {
    const { status, text } = await ask(method, target, {
      body: JSON.stringify(body),
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
    });
    if (status > 299) throw new Error(`${method} ${target}: ${status} ${text}`);
  };
  const situation = async function* (what: string, reason: string): AsyncGenerator<AggregationRow> {
    const condition = await untilReason(ask, reason);
    yield { what: `${what}: condition`, result: JSON.parse(plain(JSON.stringify(condition))) };
    for (const [part, target] of [
      ['discovery', `${group}/v1`],
      ['object', `${group}/v1/echoes/x`],
    ] as const) {
      const { status, headers, text } = await ask('GET', target);
      yield {
        what: `${what}: ${part}`,
        result: { status, type: headers['content-type'], ...(status === 200 ? {} : { text: plain(text) }) },
      };
    }
  };
  await put('POST', '/api/v1/namespaces', { metadata: { name: 'ext' } });
  const spec = {
    group: extensionGroup,
    version: 'v1',
    groupPriorityMinimum: 2000,
    versionPriority: 15,
    service: { namespace: 'ext', name: 'api' },
    caBundle: Buffer.from(extension.caPEM).toString('base64'),
  };
  await put('POST', registration, { metadata: { name }, spec });
  yield* situation('no Service', 'ServiceNotFound');
  await put('POST', services, { metadata: { name: 'api' }, spec: { ports: [{ name: 'https', port: 8443 }] } });
  yield* situation('another port', 'ServicePortError');
  await put('PATCH', `${services}/api`, { spec: { ports: [{ name: 'https', port: 443 }] } });
  yield* situation('no endpoints', 'EndpointsNotFound');
  await putEndpoints(put, extension, 'other');
  yield* situation('endpoints of another port', 'MissingEndpoints');
  extension.answer = (_request, response) => void response.writeHead(500).end('broken');
  await putEndpoints(put, extension, 'https');
  yield* situation('broken', 'FailedDiscoveryCheck');
  extension.answer = undefined;
  yield* situation('working', 'Passed');
  yield* discovery(ask);
  for (const one of proxied) yield await sendOne(ask, extension, one, plain);
  await put('PATCH', `${registration}/${name}`, { spec: { caBundle: null, insecureSkipTLSVerify: true } });
  yield { what: 'without verification', result: await untilStatus(ask, `${group}/v1/echoes/x`, 200) };
  await put('PATCH', `${registration}/${name}`, { spec: { insecureSkipTLSVerify: false } });
  yield { what: 'authority that the machine does not know', result: await untilStatus(ask, `${group}/v1/echoes/x`, 503) };
  await ask('DELETE', `${registration}/${name}`);
  yield { what: 'deleted', result: await untilStatus(ask, `${group}/v1/echoes/x`, 404) };
}

async function sendOne(
  ask: Ask,
  extension: ExtensionServer,
  { what, method = 'GET', target, headers = {}, body }: (typeof proxied)[number],
  plain: (text: string) => string,
): Promise<AggregationRow> {
  extension.seen.length = 0;
  const answer = await ask(method, target, { headers, ...(body === undefined ? {} : { body }) });
  const shown = Object.entries(answer.headers).filter(([header]) => !volatileHeaders.has(header));
  const seen = extension.seen.find(({ url }) => url.includes('echoes') || url.startsWith('/openapi/v3/apis') || url.endsWith('/v1/'));
  const isEcho = answer.text.includes('"lines"');
  return {
    what,
    result: {
      status: answer.status,
      headers: JSON.parse(plain(JSON.stringify(Object.fromEntries(shown.toSorted(([a], [b]) => (a < b ? -1 : 1)))))),
      ...(isEcho ? {} : { text: plain(answer.text) }),
      ...(seen ? { method: seen.method, url: seen.url, client: seen.clientName, lines: seenLines(seen).map(plain), body: seen.body } : {}),
    },
  };
}

async function* discovery(ask: Ask): AsyncGenerator<AggregationRow> {
  await until(
    'current discovery',
    async () => ((await groupOf(ask)) as { versions?: { freshness: string }[] } | undefined)?.versions?.[0]?.freshness === 'Current',
  );
  yield { what: 'aggregated discovery', result: await groupOf(ask) };
  const { text } = await ask('GET', '/apis', { headers: { accept: 'application/json' } });
  const { groups } = JSON.parse(text) as { groups: { name: string }[] };
  yield { what: '/apis', result: groups.find((one) => one.name === extensionGroup) };
  yield { what: 'place among the groups', result: groups.map((one) => one.name).slice(-2) };
  yield { what: 'the group', result: JSON.parse((await ask('GET', group)).text) };
  const published = async () =>
    JSON.parse((await ask('GET', '/openapi/v2')).text) as { paths: Record<string, unknown>; definitions: Record<string, unknown> };
  await until('OpenAPI', async () => `${group}/v1/echoes` in (await published()).paths);
  const { paths, definitions } = await published();
  yield {
    what: 'OpenAPI v2',
    result: {
      paths: Object.keys(paths).filter((one) => /echoes|elsewhere/.test(one)),
      definitions: Object.keys(definitions).filter((one) => one.startsWith('com.example')),
    },
  };
  const index = async () =>
    (JSON.parse((await ask('GET', '/openapi/v3')).text) as { paths: Record<string, unknown> }).paths[`apis/${extensionGroup}/v1`];
  await until('OpenAPI v3', async () => (await index()) !== undefined);
  yield { what: 'OpenAPI v3', result: await index() };
}

async function groupOf(ask: Ask): Promise<unknown> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
  const { items } = JSON.parse((await ask('GET', '/apis', { headers: { accept } })).text) as {
    items: { metadata: { name: string; creationTimestamp?: null } }[];
  };
  const found = items.find(({ metadata }) => metadata.name === extensionGroup);
  if (found) delete found.metadata.creationTimestamp;
  return found;
}

/** Endpoints and an EndpointSlice, as the controllers of a cluster would make both. */
async function putEndpoints(
  put: (method: string, target: string, body: unknown) => Promise<void>,
  { address, port }: ExtensionServer,
  portName: string,
): Promise<void> {
  const ports = [{ name: portName, port }];
  const isFirst = portName === 'other';
  const endpoints = { metadata: { name: 'api' }, subsets: [{ addresses: [{ ip: address }], ports }] };
  const slice = {
    metadata: { name: 'api-1', labels: { 'kubernetes.io/service-name': 'api' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address] }],
    ports,
  };
  const [method, suffix] = isFirst ? ['POST', ['', '']] : ['PUT', ['/api', '/api-1']];
  await put(method, `/api/v1/namespaces/ext/endpoints${suffix[0]}`, endpoints);
  await put(method, `/apis/discovery.k8s.io/v1/namespaces/ext/endpointslices${suffix[1]}`, slice);
}

async function untilReason(ask: Ask, reason: string): Promise<unknown> {
  let last: unknown;
  await until(reason, async () => {
    const { text } = await ask('GET', `${registration}/${name}`);
    const { status } = JSON.parse(text) as { status?: { conditions?: { reason: string; lastTransitionTime?: string }[] } };
    const [condition] = status?.conditions ?? [];
    if (condition) delete condition.lastTransitionTime;
    last = condition;
    return condition?.reason === reason;
  });
  return last;
}

async function untilStatus(ask: Ask, target: string, wanted: number): Promise<unknown> {
  let last = { status: 0, text: '' };
  await until(`${wanted} of ${target}`, async () => {
    const { status, text } = await ask('GET', target);
    last = { status, text: status === 200 ? '' : text };
    return status === wanted;
  });
  return last;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 90_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
