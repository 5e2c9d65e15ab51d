import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { notFound, tooManyRequests } from '../../../api/meta/status-errors.ts';
import type { AuthorizationAttributes, Authorizer } from '../authorization/authorizer.ts';
import type { Handler } from '../request/request-context.ts';
import { createAccessMetrics } from '../metrics/access-metrics.ts';
import { createMetricFamilies } from '../metric-families.ts';
import { testContext } from '../testing/test-context.ts';
import { auditID } from './audit-id.ts';
import { authentication } from './authentication.ts';
import { authorization } from './authorization.ts';
import { compression } from './compression.ts';
import { errorRecovery } from './error-recovery.ts';
import { impersonation } from './impersonation.ts';
import { requestTimeout } from './request-timeout.ts';
import { createShutdownGate, shutdownGate } from './shutdown-gate.ts';
import { formatWarnings } from './warnings.ts';
import { startAPIServerInProcess } from '../testing/start-api-server.ts';

const ok: APIResponse = { status: 200, headers: {}, body: { kind: 'none' } };
const never: Handler = () => new Promise(() => {});

function bodyOf(response: APIResponse): ReturnType<typeof JSON.parse> {
  assert.equal(response.body.kind, 'bytes');
  return JSON.parse(Buffer.from(response.body.kind === 'bytes' ? response.body.bytes : []).toString());
}

describe('request timeout', () => {
  const table: [query: string, limit: number, expectedMs: number][] = [
    ['', 60_000, 60_000],
    ['timeout=5s', 60_000, 5000],
    ['timeout=0', 60_000, 60_000],
    ['timeout=5m', 60_000, 60_000],
    ['timeout=1500ms', 60_000, 1500],
  ];
  for (const [query, limit, expectedMs] of table) {
    it(`ends a request with ?${query} after ${expectedMs} ms`, async () => {
      const clock = createManualClock();
      const context = testContext(clock, { query });
      const outcomes: APIResponse[] = [];
      const answer = requestTimeout(limit)(never)(context).then((response) => outcomes.push(response));
      await clock.advance(expectedMs - 1);
      assert.equal(outcomes.length, 0);
      assert.equal(context.signal.aborted, false);
      await clock.advance(1);
      await answer;
      const [outcome] = outcomes;
      assert.equal(outcome?.status, 504);
      assert.equal(
        outcome.body.kind === 'bytes' && Buffer.from(outcome.body.bytes).toString(),
        '{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}\n',
      );
      assert.equal(context.signal.aborted, true);
    });
  }

  it('refuses a timeout that is no duration', () =>
    assert.rejects(
      async () => requestTimeout(1000)(never)(testContext(createManualClock(), { query: 'timeout=soon' })),
      /invalid timeout specified in the request URL/,
    ));

  it('leaves watches alone and no timer behind', async () => {
    const clock = createManualClock();
    await requestTimeout(1000)(async () => ok)(testContext(clock, {}, { verb: 'watch', resource: 'pods' }));
    await requestTimeout(1000)(async () => ok)(testContext(clock));
    assert.equal(clock.pendingTimers(), 0);
  });

  it('covers the body of a streamed answer', async () => {
    const clock = createManualClock();
    const context = testContext(clock);
    const chunks = (async function* () {
      yield Buffer.from('a');
      await new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
    })();
    const response = await requestTimeout(1000)(async () => ({ ...ok, body: { kind: 'stream', chunks } }))(context);
    assert.equal(response.body.kind, 'stream');
    const read = (async () => {
      if (response.body.kind === 'stream') for await (const chunk of response.body.chunks) assert.equal(String(chunk), 'a');
    })();
    read.catch(() => {});
    await clock.advance(1000);
    await assert.rejects(read, /allotted timeout/);
  });
});

describe('error recovery', () => {
  const recover = (error: unknown) => errorRecovery(silentLogger)(() => Promise.reject(error))(testContext(createManualClock()));
  it('answers a StatusError as it is', async () => {
    const response = await recover(notFound({ group: 'apps', resource: 'deployments' }, 'x'));
    assert.equal(response.status, 404);
    assert.equal(
      JSON.stringify(bodyOf(response)),
      '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"deployments.apps \\"x\\" not found","reason":"NotFound","details":{"name":"x","group":"apps","kind":"deployments"},"code":404}',
    );
  });
  it('says when to come back', async () => assert.equal((await recover(tooManyRequests('slow', 7))).headers['retry-after'], '7'));
  it('answers 500 to anything else', async () =>
    assert.deepEqual([(await recover(new Error('bug'))).status, bodyOf(await recover(new Error('bug'))).message], [500, 'bug']));
});

describe('audit id', () => {
  it('is the one that was sent, or a new one', async () => {
    const filter = auditID(createSeededRandom(1))(async () => ok);
    const clock = createManualClock();
    assert.equal((await filter(testContext(clock, { headers: { 'audit-id': 'mine' } }))).headers['audit-id'], 'mine');
    assert.match((await filter(testContext(clock))).headers['audit-id'] ?? '', /^[0-9a-f-]{36}$/);
  });
});

describe('warnings', () => {
  it('are quoted', () => assert.equal(formatWarnings(['a "b" \\', 'two\nlines']), '299 - "a \\"b\\" \\\\", 299 - "two lines"'));
  it('are cut when they are too long together', () =>
    assert.ok(formatWarnings(Array.from({ length: 40 }, (_, index) => `${index}${'x'.repeat(1000)}`)).length < 5000));
});

const access = createAccessMetrics(createMetricFamilies());

function authorizerOf(isAllowed: (asked: AuthorizationAttributes) => boolean): Authorizer {
  return { authorize: async (asked) => ({ decision: isAllowed(asked) ? 'Allow' : 'NoOpinion', reason: '' }) };
}

describe('authorization', () => {
  const deny = authorization(
    authorizerOf(() => false),
    access,
  )(async () => ok);
  const clock = createManualClock();
  const ask = (path: string, info: Parameters<typeof testContext>[2]) =>
    deny(Object.assign(testContext(clock, { path }, info), { user: { name: 'x', groups: [] } }));
  const table: [string, Parameters<typeof testContext>[2], string][] = [
    [
      '/p',
      { verb: 'list', resource: 'pods', namespace: 'y' },
      'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "y"',
    ],
    [
      '/p',
      { verb: 'get', resource: 'deployments', apiGroup: 'apps', subresource: 'scale', name: 'd', namespace: 'y' },
      'deployments.apps "d" is forbidden: User "x" cannot get resource "deployments/scale" in API group "apps" in the namespace "y"',
    ],
    [
      '/p',
      { verb: 'get', resource: 'nodes', name: 'n' },
      'nodes "n" is forbidden: User "x" cannot get resource "nodes" in API group "" at the cluster scope',
    ],
    ['/foo', {}, 'forbidden: User "x" cannot get path "/foo"'],
  ];
  for (const [path, info, message] of table) {
    it(message, () => assert.rejects(async () => ask(path, info), { message }));
  }
  it('asks about probes as about everything: a role lets everybody see them, and nobody change anything', () =>
    assert.rejects(async () => ask('/readyz', { verb: 'delete' }), { message: 'forbidden: User "x" cannot delete path "/readyz"' }));
});

describe('authentication', () => {
  const clock = createManualClock();
  const filter = authentication({
    authenticator: { authenticate: async ({ headers }) => (headers['who'] ? { name: headers['who'], groups: ['g'] } : undefined) },
    allowsAnonymous: () => true,
    logger: silentLogger,
    metrics: access,
  });
  const userFor = async (request: Parameters<typeof testContext>[1]) => {
    const context = testContext(clock, request);
    await filter(async () => ok)(context);
    return context.user;
  };
  const peer = { address: '192.0.2.1' };
  it('adds system:authenticated', async () =>
    assert.deepEqual((await userFor({ headers: { who: 'me' }, peer })).groups, ['g', 'system:authenticated']));
  it('knows nobody as anonymous', async () =>
    assert.deepEqual(await userFor({ peer }), { name: 'system:anonymous', groups: ['system:unauthenticated'] }));
  it('believes callers inside the process', async () =>
    assert.equal((await userFor({ user: { name: 'inside', groups: [] } })).name, 'inside'));
  it('refuses who says nothing, where nobody may be anonymous', async () => {
    const server = await startAPIServerInProcess({ overrides: { anonymous: { isEnabled: false } } });
    const ask = async (path: string) =>
      (await server.transport({ method: 'GET', path, query: '', headers: {}, signal: new AbortController().signal, peer })).status;
    assert.deepEqual(await Promise.all(['/livez', '/version', '/api/v1/pods', '/nowhere'].map(ask)), [401, 401, 401, 401]);
    await server.close();
  });
  it('hands on no credentials', async () => {
    const token = 'base64url.bearer.authorization.k8s.io.c2VjcmV0';
    const headers = {
      who: 'me',
      authorization: 'Bearer secret',
      'x-remote-user': 'a',
      'x-remote-group': 'b, c',
      'x-remote-extra-d': 'e',
      'sec-websocket-protocol': `v5.channel.k8s.io, ${token}, v4.channel.k8s.io`,
      cookie: 'f=g',
    };
    const context = testContext(clock, { headers, repeatedHeaders: { 'x-remote-group': ['b', 'c'] }, peer });
    await filter(async () => ok)(context);
    assert.deepEqual(context.request.headers, {
      who: 'me',
      'sec-websocket-protocol': 'v5.channel.k8s.io, v4.channel.k8s.io',
      cookie: 'f=g',
    });
    assert.deepEqual(context.request.repeatedHeaders, {});
    const lone = testContext(clock, { headers: { who: 'me', 'sec-websocket-protocol': token }, peer });
    await filter(async () => ok)(lone);
    assert.deepEqual(lone.request.headers, { who: 'me' });
  });
  it('never believes one that came over the network', async () =>
    assert.equal((await userFor({ user: { name: 'inside', groups: [] }, peer })).name, 'system:anonymous'));
});

describe('impersonation', () => {
  const clock = createManualClock();
  const asked: string[] = [];
  const filter = impersonation(
    authorizerOf(({ resource, subresource, namespace, name }) => {
      asked.push([resource, subresource, namespace, name].filter((part) => part !== '').join('/'));
      return name !== 'root';
    }),
  );
  const act = async (headers: Record<string, string>, repeatedHeaders: Record<string, string[]> = {}) => {
    asked.length = 0;
    const context = Object.assign(testContext(clock, { headers, repeatedHeaders }), { user: { name: 'admin', groups: [] } });
    const response = await filter(async () => ok)(context);
    return { response, user: context.user, request: context.request };
  };
  it('acts as a user with groups and extra', async () => {
    const { user, request } = await act(
      {
        'impersonate-user': 'jane',
        'impersonate-group': 'dev, cn=x,system:masters',
        'impersonate-extra-a%2fb': 'c,d',
        'impersonate-uid': '7',
        accept: 'x',
      },
      { 'impersonate-group': ['dev', 'cn=x,system:masters'] },
    );
    assert.deepEqual(user, {
      name: 'jane',
      uid: '7',
      groups: ['dev', 'cn=x,system:masters', 'system:authenticated'],
      extra: { 'a/b': ['c,d'] },
    });
    assert.deepEqual(asked, ['users/jane', 'groups/dev', 'groups/cn=x,system:masters', 'userextras/a/b/c,d', 'uids/7']);
    assert.deepEqual([request.headers, request.repeatedHeaders], [{ accept: 'x' }, {}]);
  });
  it('asks for extra keys without a value too', async () => {
    const { user } = await act({ 'impersonate-user': 'jane', 'impersonate-extra-foo': '' });
    assert.deepEqual(asked, ['users/jane', 'userextras/foo']);
    assert.deepEqual(user.extra, { foo: [''] });
  });
  it('gives a service account its groups', async () => {
    const { user } = await act({ 'impersonate-user': 'system:serviceaccount:ns:sa' });
    assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated']);
    assert.deepEqual(asked, ['serviceaccounts/ns/sa']);
  });
  for (const name of ['Team_A:robot', 'team-a:Robot', 'team-a:', ':robot', 'a:b:c', '*:*', 'team.a:robot', 'a/b:c'])
    it(`takes system:serviceaccount:${name} for a user, not for a service account`, async () => {
      const { user } = await act({ 'impersonate-user': `system:serviceaccount:${name}` });
      assert.deepEqual([user.groups, asked], [['system:authenticated'], [`users/system:serviceaccount:${name}`]]);
    });
  it('is refused where it is not allowed', () =>
    assert.rejects(act({ 'impersonate-user': 'root' }), {
      message: 'users "root" is forbidden: User "admin" cannot impersonate resource "users" in API group "" at the cluster scope',
    }));
  it('needs a user', async () => assert.equal((await act({ 'impersonate-group': 'x' })).response.status, 500));
});

describe('compression', () => {
  const clock = createManualClock();
  const large = Buffer.alloc(200_000, 'abc');
  const ask = (body: APIResponse['body'], encoding = 'gzip', info = {}) =>
    compression(async () => ({ ...ok, body }))(testContext(clock, { headers: { 'accept-encoding': encoding } }, info));
  const read = async ({ body }: APIResponse) => {
    const parts: Uint8Array[] = [];
    if (body.kind === 'bytes') parts.push(body.bytes);
    if (body.kind === 'stream') for await (const chunk of body.chunks) parts.push(chunk);
    return Buffer.concat(parts);
  };
  async function* stream(count: number) {
    for (let index = 0; index < count; index++) yield large.subarray(0, 50_000);
  }
  it('compresses what is large', async () => {
    const response = await ask({ kind: 'bytes', bytes: large });
    assert.equal(response.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(await read(response)), large);
  });
  it('compresses a large stream', async () => {
    const response = await ask({ kind: 'stream', chunks: stream(40) });
    assert.equal(response.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(await read(response)).length, 2_000_000);
  });
  it('says of what it depends, once', async () => {
    for (const [said, vary] of [
      [undefined, 'Accept-Encoding'],
      ['Accept', 'Accept, Accept-Encoding'],
      ['Accept-Encoding, Accept', 'Accept-Encoding, Accept'],
    ] as const) {
      const filter = compression(async () => ({
        status: 200,
        headers: said === undefined ? {} : { vary: said },
        body: { kind: 'bytes', bytes: large },
      }));
      const { headers } = await filter(testContext(clock, { headers: { 'accept-encoding': 'gzip' } }));
      assert.equal(headers['vary'], vary);
    }
  });
  it('leaves the small, the unasked and watches alone', async () => {
    for (const response of [
      await ask({ kind: 'bytes', bytes: large.subarray(0, 1000) }),
      await ask({ kind: 'bytes', bytes: large }, 'br'),
      await ask({ kind: 'bytes', bytes: large }, 'gzip;q=0'),
      await ask({ kind: 'stream', chunks: stream(2) }),
      await ask({ kind: 'stream', chunks: stream(40) }, 'gzip', { verb: 'watch', resource: 'pods' }),
    ]) {
      assert.equal(response.headers['content-encoding'], undefined);
      await read(response);
    }
  });
});

describe('shutdown gate', () => {
  it('ends watches, waits for the others and refuses new ones', async () => {
    const clock = createManualClock();
    const gate = createShutdownGate();
    let release = () => {};
    const handler = shutdownGate(gate)((context) =>
      context.info.verb === 'watch'
        ? new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)))
        : new Promise((resolve) => (release = () => resolve(ok))),
    );
    const watch = handler(testContext(clock, {}, { verb: 'watch', resource: 'pods' }));
    const other = handler(testContext(clock));
    const ended = assert.rejects(watch, /shutting down/);
    let isClosed = false;
    const closed = gate.close().then(() => (isClosed = true));
    await ended;
    assert.equal(isClosed, false);
    const peer = { address: '192.0.2.1' };
    const refused = await handler(testContext(clock, { peer }));
    assert.deepEqual([refused.status, refused.headers['retry-after'], bodyOf(refused).message], [503, '1', 'apiserver is shutting down']);
    release();
    await other;
    await closed;
  });
});
