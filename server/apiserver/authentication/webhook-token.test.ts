import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import { type ReviewWebhook, WebhookError } from '../webhooks/review-webhook.ts';
import { allowsAnonymous } from './anonymous.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import { cachedTokenAuthenticator } from './token-cache.ts';
import { unionTokenAuthenticator } from './union.ts';
import { webhookTokenAuthenticator } from './webhook-token.ts';

describe('tokens that a webhook knows', () => {
  const clock = createManualClock();
  const dependencies = { clock, random: createSeededRandom(1), logger: silentLogger, audiences: ['api'] };
  const asking = (post: ReviewWebhook['post'], version: 'v1' | 'v1beta1' = 'v1') =>
    webhookTokenAuthenticator({ ...dependencies, webhook: { post }, version });
  const answering = (status: object, apiVersion = 'authentication.k8s.io/v1') =>
    asking(async () => ({ kind: 'TokenReview', apiVersion, status }));
  const user = { username: 'jane', uid: '42', groups: ['dev'], extra: { 'a/b': ['c'] } };
  const jane = { name: 'jane', uid: '42', groups: ['dev'], extra: { 'a/b': ['c'] } };

  it('are sent in a TokenReview for the audiences that were asked for, else for those of the API server', async () => {
    const reviews: unknown[] = [];
    const tokens = asking(async (review) => {
      reviews.push(review);
      return { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1beta1', status: { authenticated: true, user } };
    }, 'v1beta1');
    assert.deepEqual(await tokens.authenticateToken('t', []), { user: jane, audiences: ['api'] });
    assert.equal(
      await tokens.authenticateToken('t', ['other']),
      undefined,
      'the webhook says nothing of audiences: it is for the API server',
    );
    const common = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1beta1', metadata: {}, status: { user: {} } };
    assert.deepEqual(reviews, [
      { ...common, spec: { token: 't', audiences: ['api'] } },
      { ...common, spec: { token: 't', audiences: ['other'] } },
    ]);
    const aware = answering({ authenticated: true, user, audiences: ['other', 'more'] });
    assert.deepEqual(await aware.authenticateToken('t', ['other', 'x']), { user: jane, audiences: ['other'] });
    assert.equal(await aware.authenticateToken('t', []), undefined);
  });

  it('are unknown, refused, or answered with nonsense', async () => {
    assert.equal(await answering({ authenticated: false }).authenticateToken('t', []), undefined);
    assert.equal(await answering({}).authenticateToken('t', []), undefined);
    await assert.rejects(async () => answering({ error: 'revoked' }).authenticateToken('t', []), { message: 'revoked' });
    await assert.rejects(async () => answering({ authenticated: true, user: { username: 7 } }).authenticateToken('t', []), /malformed/);
    await assert.rejects(
      async () => answering({ authenticated: true, user: { groups: 'system:masters' } }).authenticateToken('t', []),
      /not a list/,
    );
    await assert.rejects(
      async () => answering({ authenticated: true, user }, 'authentication.k8s.io/v1beta1').authenticateToken('t', []),
      /not TokenReview of authentication\.k8s\.io\/v1$/,
    );
    assert.equal(await answering({ authenticated: 'true', user }).authenticateToken('t', []), undefined);
  });

  it('are asked about again after failures that may pass, and refused with 401 in the end', async () => {
    let calls = 0;
    const tokens = asking(async () => {
      calls++;
      throw new WebhookError('busy', { statusCode: 429, isRetriable: true });
    });
    const asked = assert.rejects(async () => tokens.authenticateToken('t', []), { status: unauthorized('busy').status });
    await clock.advance(30_000);
    await asked;
    assert.equal(calls, 5);
  });

  it('are waited for half a minute at most, all calls together', async () => {
    const tokens = asking(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new WebhookError('context deadline exceeded')))),
    );
    const asked = assert.rejects(async () => tokens.authenticateToken('t', []), /context deadline exceeded/);
    await clock.advance(30_000);
    await asked;
  });
});

describe('the cache of tokens', () => {
  const answer = { user: { name: 'u', groups: [] }, audiences: [] };

  it('lets those who ask at the same time share one lookup, and forgets failures', async () => {
    let calls = 0;
    let finish = (_isGood: boolean) => {};
    const inner: TokenAuthenticator = {
      async authenticateToken() {
        calls++;
        const isGood = await new Promise<boolean>((resolve) => {
          finish = resolve;
        });
        if (!isGood) throw unauthorized('no');
        return answer;
      },
    };
    const cached = cachedTokenAuthenticator(inner, { clock: createManualClock(), successTTLMs: 10_000, failureTTLMs: 10_000 });
    const all = Promise.allSettled(Array.from({ length: 100 }, async () => cached.authenticateToken('t', [])));
    finish(false);
    assert.ok((await all).every(({ status }) => status === 'rejected'));
    assert.equal(calls, 1);
    const again = Promise.all(Array.from({ length: 100 }, async () => cached.authenticateToken('t', [])));
    finish(true);
    assert.equal((await again).length, 100);
    assert.equal(calls, 2);
  });

  it('remembers tokens that nobody knows, where it is told to', async () => {
    let calls = 0;
    const clock = createManualClock();
    const inner: TokenAuthenticator = { authenticateToken: async () => void calls++ };
    const cached = cachedTokenAuthenticator(inner, { clock, successTTLMs: 120_000, failureTTLMs: 120_000 });
    await cached.authenticateToken('t', []);
    await cached.authenticateToken('t', []);
    assert.equal(calls, 1);
    await clock.advance(120_000);
    await cached.authenticateToken('t', []);
    assert.equal(calls, 2);
    assert.equal(cached.authenticateToken('x'.repeat(2 ** 21), []), undefined);
    assert.equal(calls, 2, "a token of megabytes is nobody's");
  });

  it('takes no token and audiences for others that are written alike', async () => {
    const seen: string[] = [];
    const inner: TokenAuthenticator = {
      async authenticateToken(token, audiences) {
        seen.push(JSON.stringify([token, audiences]));
        return answer;
      },
    };
    const cached = cachedTokenAuthenticator(inner, { clock: createManualClock(), successTTLMs: 10_000, failureTTLMs: 0 });
    const asked: [string, string[]][] = [
      ['a', ['b', '']],
      ['a\0b', []],
      ['a', ['b\0']],
      ['a["b"]', []],
      ['a', ['b']],
      ['a', []],
      ['a ', []],
    ];
    for (const [token, audiences] of asked) await cached.authenticateToken(token, audiences);
    assert.deepEqual(
      seen,
      asked.map((one) => JSON.stringify(one)),
    );
  });
});

describe('several authenticators of tokens', () => {
  const failing = (message: string): TokenAuthenticator => ({ authenticateToken: () => Promise.reject(unauthorized(message)) });
  const knowing: TokenAuthenticator = { authenticateToken: async () => ({ user: { name: 'u', groups: [] }, audiences: [] }) };
  const unknowing: TokenAuthenticator = { authenticateToken: async () => undefined };
  it('are all asked, though one refuses', async () => {
    assert.equal((await unionTokenAuthenticator([failing('a'), unknowing, knowing]).authenticateToken('t', []))?.user.name, 'u');
    assert.equal(await unionTokenAuthenticator([unknowing]).authenticateToken('t', []), undefined);
    await assert.rejects(async () => unionTokenAuthenticator([failing('a'), unknowing]).authenticateToken('t', []), { message: 'a' });
    await assert.rejects(async () => unionTokenAuthenticator([failing('a'), failing('b')]).authenticateToken('t', []), {
      message: '[a, b]',
    });
    const broken: TokenAuthenticator = { authenticateToken: () => Promise.reject(new Error('the store is gone')) };
    await assert.rejects(async () => unionTokenAuthenticator([failing('a'), broken]).authenticateToken('t', []), {
      message: 'the store is gone',
    });
  });
});

describe('requests without credentials', () => {
  it('may be made to some paths only, which are compared as a whole', () => {
    const allows = allowsAnonymous({ isEnabled: true, paths: ['/livez', '/readyz'] });
    const paths = [
      '/livez',
      '/%6civez',
      '/readyz',
      '/livez/',
      '/livez/etcd',
      '/LIVEZ',
      '//livez',
      '/',
      '',
      '/api',
      '/livez%2f',
      '/livez%00',
      '/%zz',
    ];
    assert.deepEqual(paths.filter(allows), ['/livez', '/%6civez', '/readyz']);
    assert.equal(allowsAnonymous({ isEnabled: true })('/api'), true);
    assert.equal(allowsAnonymous({ isEnabled: true, paths: [] })('/api'), true);
    assert.equal(allowsAnonymous({ isEnabled: false, paths: ['/livez'] })('/livez'), false);
  });
});
