import assert from 'node:assert/strict';
import { sleep } from '../../../api/base/clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import type { Storage } from '../../storage/storage.ts';
import { type AuditEvent, formatAuditEvent, formatLegacyAuditEvent } from '../audit/audit-event.ts';
import { parseAuditPolicy } from '../audit/audit-policy.ts';
import { testContext } from '../testing/test-context.ts';
import { audit } from './audit.ts';
import { type APICaller, createAPICaller } from '../testing/api-caller.ts';
import { startAPIServerInProcess, type TestAPIServer } from '../testing/start-api-server.ts';

type Line = Record<string, never> & {
  readonly level: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly auditID: string;
  readonly user: object;
  readonly objectRef: object;
  readonly responseStatus: { readonly code: number };
  readonly annotations: Record<string, string>;
  readonly requestObject: { readonly data: object; readonly metadata: { readonly managedFields?: unknown } };
  readonly responseObject: { readonly kind: string; readonly metadata: { readonly managedFields?: unknown } };
};

const maps = '/api/v1/namespaces/default/configmaps';
const secrets = '/api/v1/namespaces/default/secrets';
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } });
const policy = parseAuditPolicy({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitManagedFields: true,
  rules: [
    { level: 'Metadata', resources: [{ resources: ['secrets'] }], omitStages: ['RequestReceived'] },
    { level: 'Request', verbs: ['patch'], resources: [{ resources: ['configmaps'] }], omitStages: ['RequestReceived'] },
    { level: 'RequestResponse', resources: [{ resources: ['configmaps'] }] },
    { level: 'Metadata', userGroups: ['system:unauthenticated'] },
    { level: 'Metadata', nonResourceURLs: ['/version'] },
  ],
});

const reads = { delayMs: 0 };
const delayed = (inner: Storage): Storage => ({
  ...inner,
  async currentRevision() {
    if (reads.delayMs > 0) await sleep(systemClock, reads.delayMs);
    return inner.currentRevision();
  },
  async get(key, options) {
    if (reads.delayMs > 0) await sleep(systemClock, reads.delayMs);
    return inner.get(key, options);
  },
  range: (options) => inner.range(options),
  watch: (options) => inner.watch(options),
  compact: (revision) => inner.compact(revision),
  checkHealth: (signal) => inner.checkHealth(signal),
  close: () => inner.close(),
  async commit(transaction) {
    if (transaction.operations.some(({ key }) => key.endsWith('/slow'))) await sleep(systemClock, 600);
    return inner.commit(transaction);
  },
});

describe('audit of requests', () => {
  let server: TestAPIServer;
  let api: APICaller;
  let lines: Line[] = [];
  let fails = false;
  before(async () => {
    const record = (...event: Parameters<typeof formatAuditEvent>) => {
      if (fails) return Promise.reject(new Error('the disk is full'));
      lines.push(JSON.parse(formatAuditEvent(...event)) as Line);
      return undefined;
    };
    const storage = delayed(createMemoryStorage({ clock: systemClock }));
    server = await startAPIServerInProcess({ storage, overrides: { audit: { policy, backend: { record, close: async () => {} } } } });
    api = createAPICaller(server.transport);
  });
  beforeEach(() => {
    lines = [];
    fails = false;
  });
  after(() => server.close());

  it('tells of a create when it comes and when it is over, with what was sent and answered', async () => {
    const { headers } = await api.post(maps, configMap('one'));
    assert.deepEqual(
      lines.map(({ level, stage, verb }) => [level, stage, verb]),
      [
        ['RequestResponse', 'RequestReceived', 'create'],
        ['RequestResponse', 'ResponseComplete', 'create'],
      ],
    );
    const [received, complete] = lines;
    assert.deepEqual(received?.objectRef, { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' });
    assert.equal(received?.responseStatus, undefined);
    assert.deepEqual(complete?.objectRef, { resource: 'configmaps', namespace: 'default', name: 'one', apiVersion: 'v1' });
    assert.deepEqual(complete?.user, { username: 'admin', groups: ['system:masters', 'system:authenticated'] });
    assert.deepEqual(complete?.responseStatus, { metadata: {}, code: 201 });
    assert.deepEqual(complete?.requestObject.data, { a: '1' });
    assert.deepEqual([complete?.responseObject.kind, complete?.responseObject.metadata.managedFields], ['ConfigMap', undefined]);
    assert.deepEqual([complete?.auditID, complete?.auditID], [received?.auditID, headers['audit-id']]);
    assert.equal(complete?.annotations['authorization.k8s.io/decision'], 'allow');
    // Members of system:masters are asked nothing.
    assert.equal(complete?.annotations['authorization.k8s.io/reason'], '');
  });
  it('keeps the content of Secrets to itself at level Metadata', async () => {
    await api.post(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: 'top-secret' } });
    await api.get(secrets);
    assert.deepEqual(
      lines.map(({ stage }) => stage),
      ['ResponseComplete', 'ResponseComplete'],
    );
    assert.ok(!JSON.stringify(lines).includes('top-secret') && !JSON.stringify(lines).includes('dG9wLXNlY3JldA'));
  });
  it('tells where the time of a slow request went', async () => {
    await api.post(maps, configMap('slow'));
    const [, created] = lines.map(({ annotations }) => annotations);
    assert.match(created?.['apiserver.latency.k8s.io/etcd'] ?? '', /^(599|[6-9]\d\d)(\.\d+)?ms$|^\d+(\.\d+)?s$/);
    assert.match(created?.['apiserver.latency.k8s.io/total'] ?? '', /^\d+(\.\d+)?m?s$/);
  });
  it('counts reads of the store among its time', async () => {
    await api.post(maps, configMap('read'));
    lines = [];
    reads.delayMs = 600;
    try {
      await api.get(`${maps}/read`);
      await api.get(maps);
      await api.delete(`${maps}/read`);
    } finally {
      reads.delayMs = 0;
    }
    const complete = lines.filter(({ stage }) => stage === 'ResponseComplete');
    assert.deepEqual(
      complete.map(({ verb, annotations }) => [verb, annotations['apiserver.latency.k8s.io/etcd'] !== undefined]),
      [
        ['get', true],
        ['list', true],
        ['delete', true],
      ],
    );
  });
  it('has lists whole that were streamed, and says so of those it has not', async () => {
    const large = 'x'.repeat(100_000);
    for (let count = 0; count < 5; count++) await api.post(maps, { ...configMap(`large-${count}`), data: { large } });
    lines = [];
    const { body } = await api.get<{ items: { metadata: { name: string } }[] }>(maps);
    const complete = lines.at(-1) as unknown as { responseObject: typeof body };
    assert.deepEqual(
      complete.responseObject.items.map(({ metadata: { name } }) => name),
      body.items.map(({ metadata: { name } }) => name),
    );
    for (let count = 5; count < 12; count++) await api.post(maps, { ...configMap(`large-${count}`), data: { large } });
    await api.get(maps);
    // Above a megabyte managedFields are not taken out of it any more.
    const { responseObject, annotations } = lines.at(-1) ?? {};
    assert.deepEqual([responseObject, annotations?.['audit.k8s.io/truncated']], [undefined, 'true']);
  });
  it('takes a patch up as it came', async () => {
    await api.post(maps, configMap('patched'));
    lines = [];
    await api.patch(`${maps}/patched`, 'json', [{ op: 'add', path: '/data/b', value: '2' }]);
    assert.deepEqual(
      lines.map(({ requestObject, responseObject }) => [requestObject, responseObject]),
      [[[{ op: 'add', path: '/data/b', value: '2' }], undefined]],
    );
  });
  it('tells why a request failed, and what a deletion answers', async () => {
    await api.post(maps, configMap('gone'));
    lines = [];
    await api.delete(`${maps}/gone`);
    await api.get(`${maps}/gone`);
    const status = lines.filter(({ stage }) => stage === 'ResponseComplete').map(({ responseStatus }) => responseStatus as unknown);
    const [deleted, missing] = status as [{ status: string; details: { name: string }; code: number }, object];
    assert.deepEqual([deleted.status, deleted.details.name, deleted.code], ['Success', 'gone', 200]);
    assert.deepEqual(missing, {
      metadata: {},
      status: 'Failure',
      message: 'configmaps "gone" not found',
      reason: 'NotFound',
      details: { name: 'gone', kind: 'configmaps' },
      code: 404,
    });
  });
  it('tells of a watch when it begins and when it ends', async () => {
    const watch = await api.watch(`${maps}?watch=true&resourceVersion=0`);
    await watch.next();
    assert.deepEqual(
      lines.map(({ stage }) => stage),
      ['RequestReceived', 'ResponseStarted'],
    );
    await watch.stop();
    assert.deepEqual(
      lines.map(({ stage }) => stage),
      ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
    );
  });
  it('tells of a watch that fails that it was answered, too', async () => {
    await api.get(`${maps}?watch=true&resourceVersion=x`);
    assert.deepEqual(
      lines.map(({ stage, responseStatus }) => [stage, responseStatus?.code]),
      [
        ['RequestReceived', undefined],
        ['ResponseStarted', 500],
        ['ResponseComplete', 500],
      ],
    );
  });
  it('tells whom somebody acts as', async () => {
    await api.get(`${maps}/one`, { 'impersonate-user': 'jane', 'impersonate-group': 'dev' });
    const { impersonatedUser, annotations } = lines.at(-1) as unknown as Record<string, Record<string, string>>;
    assert.deepEqual(impersonatedUser, { username: 'jane', groups: ['dev', 'system:authenticated'] });
    assert.equal(annotations?.['authorization.k8s.io/decision'], 'forbid');
  });
  it('tells of credentials that are not good', async () => {
    const unauthorized = { metadata: {}, status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 };
    const headers = { authorization: 'Bearer x.y.z', 'user-agent': 'thief/1', 'x-forwarded-for': '198.51.100.7, no-address' };
    const { signal } = new AbortController();
    const peer = { address: '::ffff:192.0.2.1' };
    const { status } = await server.transport({ method: 'GET', path: '/version', query: 'a=b', headers, signal, peer });
    assert.equal(status, 401);
    assert.deepEqual(
      lines.map(({ stage, requestURI, user, responseStatus }) => [stage, requestURI, user, responseStatus]),
      [['ResponseStarted', '/version?a=b', {}, unauthorized]],
    );
    assert.deepEqual((lines[0] as unknown as Record<string, unknown>)['sourceIPs'], ['198.51.100.7', '192.0.2.1']);
  });
  for (const [forwarded, real, expected] of [
    ['192.0.2.1, 198.51.100.7', '', ['192.0.2.1', '198.51.100.7', '192.0.2.1']],
    ['198.51.100.7, 192.0.2.1', '', ['198.51.100.7', '192.0.2.1']],
    ['198.51.100.7', '198.51.100.7', ['198.51.100.7', '192.0.2.1']],
    ['deadbeef, a, 1.2.3, 1.2.3.4:80, 999.1.1.1, fe80::1%eth0, [::1]', ':::', ['192.0.2.1']],
    ['::FFFF:203.0.113.9, ::1', '203.0.113.10', ['203.0.113.9', '::1', '203.0.113.10', '192.0.2.1']],
  ] as const)
    it(`ends the addresses behind ${forwarded} with the peer's`, async () => {
      const headers = { authorization: 'Bearer x.y.z', 'x-forwarded-for': forwarded, ...(real === '' ? {} : { 'x-real-ip': real }) };
      const { signal } = new AbortController();
      await server.transport({ method: 'GET', path: '/version', query: '', headers, signal, peer: { address: '192.0.2.1' } });
      assert.deepEqual((lines[0] as unknown as Record<string, unknown>)['sourceIPs'], expected);
    });
  it('tells of paths that lead nowhere, too', async () => {
    for (const path of ['//api/v1/configmaps', '/api/v1/namespaces/default/configmaps/a/b/c', '/api/v1/namespaces/default/nodes']) {
      lines = [];
      const { signal } = new AbortController();
      const { status } = await server.transport({ method: 'GET', path, query: '', headers: {}, signal, peer: { address: '192.0.2.1' } });
      assert.equal(status, 404);
      assert.deepEqual(
        lines.map(({ stage, requestURI, responseStatus }) => [stage, requestURI, responseStatus?.code]),
        [
          ['RequestReceived', path, undefined],
          ['ResponseComplete', path, 404],
        ],
      );
    }
  });
  it('says nothing of what no rule is about', async () => {
    await api.get('/api/v1/nodes');
    assert.deepEqual(lines, []);
  });
  it('refuses a request whose first event cannot be stored, where the backend says so', async () => {
    fails = true;
    const { code, message } = await api.failure(api.post(maps, configMap('unheard')));
    assert.deepEqual([code, message], [500, 'Internal error occurred: failed to store audit event']);
    fails = false;
    assert.equal((await api.get(`${maps}/unheard`)).status, 404);
  });
});

describe('audit of requests that another server answers', () => {
  const rules = [{ level: 'RequestResponse' }];
  const all = parseAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules });
  const texts = ['{}, "user":{"username":"somebody else"}, "x":{}', '{\n', '{"kind":"Status"', '{"kind":"Status","code":{}}', '\n', ''];
  for (const text of texts)
    for (const kind of ['bytes', 'stream'] as const)
      it(`takes up nothing of ${JSON.stringify(text)} as ${kind}`, async () => {
        const written: string[] = [];
        const record = (...event: Parameters<typeof formatAuditEvent>) => void written.push(formatAuditEvent(...event));
        const bytes = Buffer.from(text);
        const body =
          kind === 'bytes'
            ? { kind, bytes }
            : {
                kind,
                chunks: (async function* () {
                  yield bytes;
                })(),
              };
        const filter = audit({ policy: all, backend: { record, close: async () => {} } });
        const context = Object.assign(testContext(createManualClock()), { isDelegated: true });
        const response = await filter(async () => ({ status: 201, headers: { 'content-type': 'application/json' }, body }))(context);
        assert.equal(await readText(response), text);
        const [event] = written.map((line) => JSON.parse(line) as Record<string, unknown>);
        assert.deepEqual([written.length, event?.['user'], event?.['responseStatus']], [1, {}, { metadata: {}, code: 201 }]);
        assert.equal(event?.['responseObject'], undefined);
      });
});

async function readText({ body }: APIResponse): Promise<string> {
  if (body.kind === 'none') return '';
  if (body.kind === 'bytes') return Buffer.from(body.bytes).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('lines of the audit log', () => {
  const event: AuditEvent = {
    level: 'Metadata',
    ...{ auditID: 'id', requestURI: '/api?a="b"', verb: 'get', sourceIPs: ['192.0.2.1'], userAgent: 'x\ny' },
    user: { name: 'a "b"', groups: ['g'], extra: { z: ['1'], a: ['2'] } },
    objectRef: { resource: 'pods', namespace: 'n', name: '', subresource: 'log' },
    responseStatus: { code: 200 },
    ...{ requestObject: '{"a":1}', receivedMs: 1_767_225_600_001, annotations: { b: '1', a: '2' } },
  };
  it('have the fields in upstream’s order, one line whatever they hold', () =>
    assert.equal(
      formatAuditEvent(event, 'ResponseComplete', 1_767_225_600_002),
      '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id","stage":"ResponseComplete","requestURI":"/api?a=\\"b\\"","verb":"get",' +
        '"user":{"username":"a \\"b\\"","groups":["g"],"extra":{"a":["2"],"z":["1"]}},"sourceIPs":["192.0.2.1"],"userAgent":"x\\ny",' +
        '"objectRef":{"resource":"pods","namespace":"n","subresource":"log"},"responseStatus":{"metadata":{},"code":200},"requestObject":{"a":1},' +
        '"requestReceivedTimestamp":"2026-01-01T00:00:00.001000Z","stageTimestamp":"2026-01-01T00:00:00.002000Z","annotations":{"a":"2","b":"1"}}',
    ));
  it('are text in the format legacy', () =>
    assert.equal(
      formatLegacyAuditEvent(event, 'ResponseComplete'),
      '2026-01-01T00:00:00.001000Z AUDIT: id="id" stage="ResponseComplete" ip="192.0.2.1" method="get" user="a \\"b\\"" groups="\\"g\\"" as="<self>" asgroups="<lookup>" user-agent="x\\ny" namespace="n" uri="/api?a=\\"b\\"" response="200"',
    ));
});
