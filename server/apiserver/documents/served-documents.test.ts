import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { createMetricFamilies } from '../metric-families.ts';
import { createHealthMetrics } from '../metrics/health-metrics.ts';
import { testContext } from '../testing/test-context.ts';
import { createHealth } from './health.ts';
import { createOpenAPI } from './openapi.ts';

const clock = createManualClock();

function textOf(response: APIResponse | undefined): string {
  return response?.body.kind === 'bytes' ? Buffer.from(response.body.bytes).toString() : '';
}

describe('health', () => {
  const health = createHealth(silentLogger, createHealthMetrics(createMetricFamilies()));
  let problem: string | undefined;
  health.add({
    name: 'etcd',
    check() {
      if (problem !== undefined) throw new Error(problem);
    },
  });
  health.add({ name: 'informer-sync', check() {}, only: 'readyz' });
  const get = (path: string, query = '') => health.answer(testContext(clock, { path, query }));
  afterEach(() => (problem = undefined));

  it('is ok', async () => {
    const response = await get('/healthz');
    assert.deepEqual([response?.status, textOf(response)], [200, 'ok']);
  });
  it('tells all when asked', async () =>
    assert.equal(textOf(await get('/readyz', 'verbose')), '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]informer-sync ok\nreadyz check passed\n'));
  it('asks of life less than of readiness', async () =>
    assert.equal(textOf(await get('/livez', 'verbose=1')), '[+]ping ok\n[+]log ok\n[+]etcd ok\nlivez check passed\n'));
  it('fails without saying why', async () => {
    problem = 'secret';
    const response = await get('/livez');
    assert.deepEqual(
      [response?.status, textOf(response)],
      [500, '[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\nlivez check failed\n'],
    );
  });
  it('says why of a single check', async () => {
    problem = 'down';
    assert.equal(textOf(await get('/livez/etcd')), 'internal server error: down\n');
    assert.equal(textOf(await get('/livez/ping')), 'ok');
    assert.equal(await get('/livez/nope'), undefined);
    assert.equal(await get('/livez/informer-sync'), undefined);
  });
  it('leaves out what it is told to', async () => {
    problem = 'down';
    const response = await get('/livez', 'verbose&exclude=etcd&exclude=nope');
    assert.equal(
      textOf(response),
      '[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "nope"\nlivez check passed\n',
    );
    assert.equal(response?.status, 200);
  });
});

describe('openapi', () => {
  const files = new Map([
    ['v2', '{"swagger":"2.0"}'],
    ['api/v1', '{"openapi":"3.0.0"}'],
  ]);
  const hashOf = (text: string) => createHash('sha512').update(text).digest('hex').toUpperCase();
  const openAPI = createOpenAPI({
    list: async () => [...files].map(([name, text]) => ({ name, hash: hashOf(text) })),
    read: async (name) => Buffer.from(files.get(name) ?? ''),
  });
  const get = (path: string, query = '', headers: Record<string, string> = {}) => openAPI(testContext(clock, { path, query, headers }));
  const hash = hashOf('{"openapi":"3.0.0"}');

  it('lists the documents by hash', async () =>
    assert.equal(textOf(await get('/openapi/v3')), `{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=${hash}"}}}`));
  it('lets a document be kept for ever under its hash', async () => {
    const response = await get('/openapi/v3/api/v1', `hash=${hash}`);
    assert.equal(textOf(response), '{"openapi":"3.0.0"}');
    assert.match(response?.headers['cache-control'] ?? '', /public, immutable/);
    assert.equal(response?.headers['etag'], `"${hash}"`);
  });
  it('leads from an old hash to the new one', async () => {
    const response = await get('/openapi/v3/api/v1', 'hash=OLD');
    assert.deepEqual([response?.status, response?.headers['location']], [301, `/openapi/v3/api/v1?hash=${hash}`]);
  });
  it('answers 304', async () => assert.equal((await get('/openapi/v3/api/v1', '', { 'if-none-match': `"${hash}"` }))?.status, 304));
  it('serves both as JSON and as protobuf, under the same tag', async () => {
    const forms = [
      ['/openapi/v2', 'v2', '{"swagger":"2.0"}', '\n\u00032.0'],
      ['/openapi/v3/api/v1', 'v3', '{"openapi":"3.0.0"}', '\n\u00053.0.0'],
    ] as const;
    for (const [path, spec, json, encoded] of forms) {
      const protobuf = `application/com.github.proto-openapi.spec.${spec}.v1.0+protobuf`;
      for (const accept of ['', '*/*', 'application/json', `application/json, ${protobuf}`])
        assert.equal(textOf(await get(path, '', { accept })), json, accept);
      for (const accept of [protobuf, protobuf.replace('.v1.0', '@v1.0'), `${protobuf}, application/json;q=0.5`]) {
        const response = await get(path, '', { accept });
        assert.equal(textOf(response), encoded, accept);
        assert.equal(response?.headers['content-type'], protobuf);
        assert.equal(response?.headers['etag'], (await get(path))?.headers['etag']);
      }
      assert.equal((await get(path, '', { accept: 'text/html' }))?.status, 406);
    }
  });
  it('knows nothing else', async () => {
    for (const path of ['/openapi/v3/apis/nope/v1', '/openapi/v3/v2', '/openapi/v3/']) assert.equal((await get(path))?.status, 404, path);
    for (const path of ['/openapi', '/openapi/v30']) assert.equal(await get(path), undefined, path);
  });
});
