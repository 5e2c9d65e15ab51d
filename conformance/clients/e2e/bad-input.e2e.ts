import assert from 'node:assert/strict';
import type { RawAnswer } from '../../framework/conformance-context.ts';
import type { Cluster } from '../../framework/connect-cluster.ts';
import { waitFor } from '../../framework/wait-for.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';

interface Status {
  readonly kind: string;
  readonly status: string;
  readonly reason?: string;
  readonly code: number;
  readonly message: string;
}

interface Attack {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly code: number;
  readonly reason?: string;
  readonly message?: RegExp;
}

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (rest: string) => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"attack"}${rest}}`;
const nested = (depth: number) => configMap(`,"data":{"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`);

const attacks: readonly Attack[] = [
  { what: 'JSON that ends early', body: '{"apiVersion":"v1","kind":"ConfigMap"', code: 400, reason: 'BadRequest' },
  { what: 'JSON that is none', body: 'nonsense', code: 400, reason: 'BadRequest' },
  { what: 'an empty body', body: '', code: 400, reason: 'BadRequest' },
  { what: 'a list instead of an object', body: '[1]', code: 400, reason: 'BadRequest' },
  { what: 'null', body: 'null', code: 422, reason: 'Invalid', message: /name or generateName is required/ },
  {
    what: 'an unknown kind',
    body: '{"apiVersion":"v1","kind":"Nonsense"}',
    code: 400,
    reason: 'BadRequest',
    message: /no kind "Nonsense"/,
  },
  { what: 'another known kind', body: '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"attack"}}', code: 400, reason: 'BadRequest' },
  { what: 'a string where a map must be', body: configMap(',"data":"text"'), code: 400, reason: 'BadRequest' },
  {
    what: 'a number where a string must be',
    body: configMap(',"data":{"a":1}'),
    code: 400,
    reason: 'BadRequest',
    message: /cannot unmarshal number/,
  },
  { what: 'a kind that is a number', body: '{"apiVersion":"v1","kind":7}', code: 400, reason: 'BadRequest' },
  { what: 'a body of 4 MB', body: configMap(`,"data":{"a":"${'x'.repeat(4 << 20)}"}`), code: 413, reason: 'RequestEntityTooLarge' },
  { what: 'lists nested 10,000 deep', body: nested(10_001), code: 400, reason: 'BadRequest' },
  { what: '3 MB of opening brackets', body: '['.repeat(3_000_000), code: 400, reason: 'BadRequest' },
  { what: 'YAML with aliases that multiply', contentType: 'application/yaml', body: aliasBomb(), code: 400, reason: 'BadRequest' },
  { what: 'an unknown media type', contentType: 'text/plain', body: configMap(''), code: 415, reason: 'UnsupportedMediaType' },
  {
    what: 'protobuf that is none',
    contentType: 'application/vnd.kubernetes.protobuf',
    body: 'k8s\0nonsense',
    code: 400,
    reason: 'BadRequest',
  },
  {
    what: 'a duplicate key with Strict',
    query: 'fieldValidation=Strict',
    body: configMap(',"data":{"a":"1"},"data":{"b":"2"}'),
    code: 400,
    reason: 'BadRequest',
    message: /strict decoding error: duplicate field "data"/,
  },
  {
    what: 'an unknown field with Strict',
    query: 'fieldValidation=Strict',
    body: configMap(',"unknown":1'),
    code: 400,
    reason: 'BadRequest',
    message: /strict decoding error: unknown field "unknown"/,
  },
  { what: 'a fieldValidation that is none', query: 'fieldValidation=Sometimes', body: configMap(''), code: 422, reason: 'Invalid' },
  { what: 'the name ..', body: '{"metadata":{"name":".."}}', code: 422, reason: 'Invalid' },
  {
    what: 'a name with a slash',
    body: '{"metadata":{"name":"a/b"}}',
    code: 422,
    reason: 'Invalid',
    message: /a lowercase RFC 1123 subdomain/,
  },
  { what: 'a name that ends in a space', body: '{"metadata":{"name":"attack "}}', code: 422, reason: 'Invalid' },
  { what: 'a name with a Cyrillic a', body: '{"metadata":{"name":"\u0430ttack"}}', code: 422, reason: 'Invalid' },
  {
    what: 'an object of another namespace than the path',
    body: '{"metadata":{"name":"attack","namespace":"other"}}',
    code: 400,
    reason: 'BadRequest',
    message: /does not match the namespace/,
  },
  {
    what: 'a get of ..',
    method: 'GET',
    path: `${configMaps}/..`,
    code: 400,
    reason: 'BadRequest',
    message: /Name parameter invalid: "\.\.": may not be '\.\.'/,
  },
  { what: 'a get of %2e%2e%2f', method: 'GET', path: `${configMaps}/%2e%2e%2fsecrets`, code: 404 },
  { what: 'a get in the namespace ..%2f', method: 'GET', path: '/api/v1/namespaces/..%2fdefault/configmaps/kube-root-ca.crt', code: 404 },
  {
    what: 'a JSON patch that is none',
    method: 'PATCH',
    path: `${configMaps}/kube-root-ca.crt`,
    contentType: 'application/json-patch+json',
    body: '{"op":"add"}',
    code: 400,
    reason: 'BadRequest',
  },
  {
    what: 'a patch of no known kind',
    method: 'PATCH',
    path: `${configMaps}/kube-root-ca.crt`,
    contentType: 'application/json',
    body: '{}',
    code: 415,
    reason: 'UnsupportedMediaType',
  },
  {
    what: 'a JSON patch of 20,000 operations',
    method: 'PATCH',
    path: `${configMaps}/kube-root-ca.crt`,
    contentType: 'application/json-patch+json',
    body: JSON.stringify(Array.from({ length: 20_000 }, () => ({ op: 'copy', from: '/data', path: '/data/x' }))),
    code: 413,
    reason: 'RequestEntityTooLarge',
  },
  { what: 'a limit that is no number', method: 'GET', path: configMaps, query: 'limit=many', code: 400, reason: 'BadRequest' },
  {
    what: 'a label selector that is none',
    method: 'GET',
    path: configMaps,
    query: 'labelSelector=%3D%3D%3D',
    code: 400,
    reason: 'BadRequest',
  },
  {
    what: 'a field selector of no known field',
    method: 'GET',
    path: configMaps,
    query: 'fieldSelector=data.a%3Db',
    code: 400,
    reason: 'BadRequest',
  },
  {
    what: 'a continue token that is none',
    method: 'GET',
    path: configMaps,
    query: 'limit=1&continue=nonsense',
    code: 400,
    reason: 'BadRequest',
  },
  {
    what: 'a resourceVersion that is none',
    method: 'GET',
    path: configMaps,
    query: 'resourceVersion=nonsense',
    // Upstream asks its cache first and answers 500; where it asks the store, it answers 400.
    code: 500,
    message: /strconv\.ParseUint: parsing "nonsense": invalid syntax/,
  },
  {
    what: 'a resourceVersion of the past that is none',
    method: 'GET',
    path: configMaps,
    query: 'resourceVersion=nonsense&limit=1',
    code: 400,
    reason: 'BadRequest',
  },
  { what: 'a verb that is none', method: 'BREW', path: configMaps, code: 405, reason: 'MethodNotAllowed' },
  {
    what: 'an update without a name in the path',
    method: 'PUT',
    path: configMaps,
    body: configMap(''),
    code: 405,
    reason: 'MethodNotAllowed',
  },
];

/** Nine levels of ten references each: a thousand million nodes if it were expanded. */
function aliasBomb(): string {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
  for (let level = 1; level < 10; level++) lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(10)}]`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: attack}\n${lines.join('\n')}\n`;
}

describe('bad input over the socket', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let api: Cluster;
  before(async () => {
    cluster = await startCluster({ node: false });
    api = await cluster.connect();
    // The controllers' objects appear a moment after the start.
    await waitFor('kube-root-ca.crt', async () => (await api.request('GET', `${configMaps}/kube-root-ca.crt`)).status === 200, {
      withinSeconds: 30,
    });
  });
  after(async () => {
    // Where the start has failed, there is neither a client nor a cluster.
    api?.close();
    await cluster?.stop();
  });

  /** After any input the server still answers, and has stored nothing of it. */
  afterEach(async () => {
    assert.equal((await api.request('GET', '/readyz')).text, 'ok');
    const { items } = (await api.request('GET', configMaps)).json() as { items: { metadata: { name: string } }[] };
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['kube-root-ca.crt'],
    );
    assert.doesNotMatch(cluster.output(), /Error:|unhandled/i);
  });

  for (const { what, method = 'POST', path = configMaps, query = '', contentType, body, code, reason, message } of attacks) {
    it(`${what} is answered with ${code} ${reason ?? ''}`, async () => {
      const answer = await api.request(method, path, {
        query,
        ...(contentType ? { contentType } : {}),
        ...(body === undefined ? {} : { body }),
      });
      assert.equal(answer.status, code, answer.text.slice(0, 500));
      const status = statusOf(answer);
      assert.equal(status.code, code);
      if (reason) assert.equal(status.reason, reason, answer.text.slice(0, 500));
      if (message) assert.match(status.message, message);
    });
  }

  it('a path with a broken escape is no request, which Go says in plain words', async () => {
    const answer = await api.request('GET', `${configMaps}/%zz`);
    assert.deepEqual([answer.status, answer.text], [400, '400 Bad Request']);
  });

  it('keys like __proto__ are data', async () => {
    const path = `${configMaps}/proto`;
    const labels = '"labels":{"constructor":"c","toString":"t"}';
    const data = '"data":{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"h"}';
    const created = await api.request('POST', configMaps, { body: `{"metadata":{"name":"proto",${labels}},${data}}` });
    assert.equal(created.status, 201, created.text);
    const patched = await api.request('PATCH', path, {
      contentType: 'application/merge-patch+json',
      body: '{"data":{"__proto__":"q"},"__proto__":{"immutable":true}}',
    });
    assert.equal(patched.status, 200, patched.text);
    const { text } = await api.request('GET', path);
    assert.match(text, /"data":\{(?=[^}]*"__proto__":"q")(?=[^}]*"constructor":"c")(?=[^}]*"toString":"t")(?=[^}]*"hasOwnProperty":"h")/);
    assert.doesNotMatch(text, /"immutable"/);
    const listed = await api.request('GET', configMaps, { query: 'labelSelector=constructor%3Dc,toString%3Dt' });
    assert.equal((listed.json() as { items: unknown[] }).items.length, 1);
    const applied = await api.request('PATCH', path, {
      contentType: 'application/apply-patch+yaml',
      query: 'fieldManager=e2e&force=true',
      body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto"},"data":{"__proto__":"r"}}',
    });
    assert.equal(applied.status, 200, applied.text);
    assert.match(applied.text, /"__proto__":"r"/);
    assert.equal((await api.request('DELETE', path)).status, 200);
  });

  it('duplicate keys: Warn warns and takes the last, Ignore says nothing', async () => {
    const body = configMap(',"data":{"a":"1"},"data":{"b":"2"}');
    const warned = await api.request('POST', configMaps, { query: 'fieldValidation=Warn&dryRun=All', body });
    assert.equal(warned.status, 201, warned.text);
    assert.match(warned.headers['warning'] ?? '', /^299 - "duplicate field \\"data\\""$/);
    assert.match(warned.text, /"b":"2"/);
    const ignored = await api.request('POST', configMaps, { query: 'fieldValidation=Ignore&dryRun=All', body });
    assert.equal(ignored.status, 201, ignored.text);
    assert.equal(ignored.headers['warning'], undefined);
  });

  it('whole numbers above 2^53 are kept to the last digit', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const largest = '9223372036854775807';
    const spec = `{"terminationGracePeriodSeconds":0,"activeDeadlineSeconds":2147483647,"securityContext":{"runAsUser":1,"fsGroup":2},"tolerations":[{"operator":"Exists","effect":"NoExecute","key":"k","tolerationSeconds":${largest}}],"containers":[{"name":"c","image":"i"}]}`;
    const created = await api.request('POST', pods, { body: `{"metadata":{"name":"large"},"spec":${spec}}` });
    assert.equal(created.status, 201, created.text);
    const read = await api.request('GET', `${pods}/large`);
    assert.ok(read.text.includes(`"tolerationSeconds":${largest}`), read.text);
    const patch = { contentType: 'application/strategic-merge-patch+json', body: '{"metadata":{"labels":{"a":"b"}}}' };
    const patched = await api.request('PATCH', `${pods}/large`, patch);
    assert.ok(patched.text.includes(`"tolerationSeconds":${largest}`), patched.text);
    const tooLarge = await api.request('POST', pods, {
      body: `{"metadata":{"name":"larger"},"spec":${spec.replace(largest, '9223372036854775808')}}`,
    });
    assert.equal(tooLarge.status, 400, tooLarge.text);
    assert.equal((await api.request('DELETE', `${pods}/large`)).status, 200);
  });

  it('requests without credentials are told so, and learn nothing', async () => {
    const answer = await fetchInsecurely(`https://127.0.0.1:${cluster.port}/api/v1/secrets`);
    assert.equal(answer.status, 403);
    assert.match(answer.body, /secrets is forbidden: User \\"system:anonymous\\" cannot list resource/);
  });
});

function statusOf(answer: RawAnswer): Status {
  const status = answer.json() as Status;
  assert.equal(status.kind, 'Status', answer.text.slice(0, 300));
  assert.equal(status.status, 'Failure');
  return status;
}

async function fetchInsecurely(url: string): Promise<{ status: number; body: string }> {
  const { default: https } = await import('node:https');
  return await new Promise((resolve, reject) => {
    const request = https.get(url, { rejectUnauthorized: false, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => void (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject);
  });
}
