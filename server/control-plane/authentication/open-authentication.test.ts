import assert from 'node:assert/strict';
import { createPublicKey, createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import {
  type Claims,
  forgeToken,
  goodClaims,
  startTestIssuer,
  type TestIssuer,
} from '../../apiserver/authentication/testing/test-issuer.ts';
import { createMetricFamilies } from '../../apiserver/metric-families.ts';
import { createIssuerClient } from './issuer-client.ts';
import { threadTimeOf } from '../../apiserver/testing/thread-time.ts';
import { type OpenedAuthentication, openAuthentication } from './open-authentication.ts';
import type { AuthenticationFlags } from './plan-authentication.ts';

describe('tokens of OpenID Connect issuers', function () {
  this.timeout(60_000);
  let folder: string;
  let issuer: TestIssuer;
  let opened: OpenedAuthentication | undefined;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'authentication-'));
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    issuer = await startTestIssuer();
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
    issuer.close();
  });

  const open = async (flags: AuthenticationFlags): Promise<OpenedAuthentication> => {
    opened = await openAuthentication(flags, {
      ...{ clock: systemClock, random: systemRandom, logger: silentLogger, audiences: ['api'] },
      serviceAccountIssuers: ['https://kubernetes.default.svc'],
      serverId: 'test',
    });
    return opened;
  };
  /** The configuration as JSON, which is YAML too. */
  const configure = async (jwt: readonly object[], more: object = {}) => {
    const file = path.join(folder, 'config.yaml');
    await writeFile(file, JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', jwt, ...more }));
    return file;
  };
  const jwtOf = (one: TestIssuer, more: object = {}, mappings: object = { username: { claim: 'sub', prefix: '' } }) => ({
    issuer: { url: one.url, certificateAuthority: one.ca, audiences: ['my-client'] },
    claimMappings: mappings,
    ...more,
  });
  const withConfiguration = async (jwt: readonly object[], more: object = {}) => open({ authenticationConfig: await configure(jwt, more) });
  /** The user, or what is wrong; asks again while the issuer has not been discovered. */
  const ask = async (token: string, audiences: readonly string[] = []): Promise<UserInfo | string | undefined> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return (await opened?.remoteTokens[0]?.authenticateToken(token, audiences))?.user;
      } catch (error) {
        const { message } = error as Error;
        if (message !== 'oidc: authenticator not initialized' || attempt > 100) return message;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  const claims = (more: Claims = {}) => goodClaims(issuer, more);

  it('by flags: user and groups with their prefixes, extra by the id of the token', async () => {
    const caFile = path.join(folder, 'ca.crt');
    await writeFile(caFile, issuer.ca);
    await open({
      oidcIssuerUrl: issuer.url,
      oidcClientId: 'my-client',
      oidcCaFile: caFile,
      oidcGroupsClaim: 'roles',
      oidcGroupsPrefix: 'oidc:',
    });
    assert.deepEqual(await ask(await issuer.sign(claims({ roles: ['dev', 'ops'], jti: 'x1' }))), {
      name: `${issuer.url}#jane`,
      groups: ['oidc:dev', 'oidc:ops'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=x1'] },
    });
    assert.deepEqual(await ask(await issuer.sign(claims({ roles: 'dev' }))), { name: `${issuer.url}#jane`, groups: ['oidc:dev'] });
    assert.match(
      String(await ask(await issuer.sign(claims(), { alg: 'ES256' }))),
      /id token signed with unsupported algorithm, expected \["RS256"\] got "ES256"/,
    );
    assert.equal(await ask('not a token'), undefined);
    assert.equal(await ask(await issuer.sign(claims({ iss: 'https://other' }))), undefined);
    assert.equal(await ask(await issuer.sign(claims()), ['elsewhere']), undefined, 'tokens are for the API server only');
  });

  it('by each of the nine algorithms, with keys fetched once', async () => {
    const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];
    const tokens = await Promise.all(algorithms.map((alg) => issuer.sign(claims({ sub: alg }), { alg })));
    await withConfiguration([jwtOf(issuer)]);
    for (const [index, token] of tokens.entries()) assert.deepEqual(await ask(token), { name: algorithms[index], groups: [] });
    assert.deepEqual(issuer.requests, ['/.well-known/openid-configuration', '/keys']);
  });

  it('refuses what is not signed by the issuer, for others, or not of now', async () => {
    await withConfiguration([jwtOf(issuer)]);
    const now = Math.floor(systemClock.nowMs() / 1000);
    const good = await issuer.sign(claims());
    assert.deepEqual(await ask(good), { name: 'jane', groups: [] });
    const [head = '', , signature = ''] = good.split('.');
    const refused: [string, RegExp][] = [
      [await issuer.sign(claims({ aud: 'x' })), /^oidc: verify token: oidc: expected audience "my-client" got \["x"\]$/],
      [await issuer.sign(claims({ aud: [] })), /expected audience "my-client" got \[\]/],
      [await issuer.sign(claims({ exp: now - 10 })), /^oidc: verify token: oidc: token is expired/],
      [await issuer.sign(claims({ exp: undefined })), /token is expired \(Token Expiry: 0001-01-01/],
      [await issuer.sign(claims({ nbf: now + 100 })), /before the nbf \(not before\) time/],
      [await issuer.sign(claims({ exp: 'soon' })), /failed to unmarshal claims/],
      [await issuer.sign(claims({ aud: 7 })), /failed to unmarshal claims/],
      [forgeToken({ alg: 'none' }, claims()), /unsupported algorithm, .* got "none"/],
      [forgeToken({ alg: 'NONE' }, claims(), 'AAAA'), /unsupported algorithm, .* got "NONE"/],
      [
        `${head}.${Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url')}.${signature}`,
        /failed to verify id token signature/,
      ],
      [good.slice(0, -4), /failed to verify id token signature/],
      [
        await issuer.sign(claims(), { header: { crit: ['x'], x: 1 } }).catch(() => forgeToken({ alg: 'RS256', crit: ['x'] }, claims())),
        /failed to verify/,
      ],
    ];
    for (const [token, expected] of refused) assert.match(String(await ask(token)), expected);
    assert.deepEqual(await ask(await issuer.sign(claims({ nbf: now + 50, iat: now + 10_000 }))), { name: 'jane', groups: [] });
  });

  it('takes no public key for a shared secret', async () => {
    await withConfiguration([jwtOf(issuer)]);
    const [jwk] = issuer.keys;
    const key = createPublicKey({ key: jwk as object, format: 'jwk' });
    for (const secret of [key.export({ type: 'spki', format: 'pem' }), key.export({ type: 'spki', format: 'der' }), String(jwk?.n)]) {
      const unsigned = forgeToken({ alg: 'HS256', kid: 'RS256-key' }, claims()).slice(0, -1);
      const token = `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
      assert.match(String(await ask(token)), /unsupported algorithm, .* got "HS256"/);
    }
    assert.ok(!issuer.requests.includes('/keys'), 'keys are not fetched for it');
  });

  it('learns new keys at once, and is not made to ask for unknown ones more than once a second', async () => {
    await withConfiguration([jwtOf(issuer)]);
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'jane', groups: [] });
    issuer.rotate('new');
    assert.deepEqual(await ask(await issuer.sign(claims(), { alg: 'ES256' })), { name: 'jane', groups: [] });
    const before = issuer.requests.length;
    const flood = await Promise.all(
      Array.from({ length: 300 }, (_, index) => ask(forgeToken({ alg: 'RS256', kid: `k${index}` }, claims(), 'AAAA'))),
    );
    assert.ok(flood.every((answer) => String(answer).includes('failed to verify id token signature')));
    assert.ok(issuer.requests.length - before <= 1, `${issuer.requests.length - before} fetches`);
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'jane', groups: [] }, 'what was known is known still');
  });

  it("maps by expressions, with upstream's rules for empty and wrong values", async () => {
    await withConfiguration([
      jwtOf(
        issuer,
        {
          claimValidationRules: [
            { claim: 'hd', requiredValue: 'example.com' },
            { expression: 'claims.level > 2', message: 'too low' },
          ],
          userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }],
        },
        {
          username: { expression: "claims.sub + '@' + claims.?team.orValue('none')" },
          groups: { expression: "claims.roles.split(',') + ['', 'all']" },
          uid: { expression: 'claims.sub' },
          extra: [
            { key: 'example.com/dept', valueExpression: 'claims.foo__dot__bar' },
            { key: 'example.com/none', valueExpression: "''" },
            { key: 'example.com/nested', valueExpression: 'claims.nested.list' },
          ],
        },
      ),
    ]);
    const more = { hd: 'example.com', level: 3, roles: 'a,b', 'foo.bar': 'd', nested: { list: ['1', '2'] } };
    assert.deepEqual(await ask(await issuer.sign(claims(more))), {
      name: 'jane@none',
      groups: ['a', 'b', 'all'],
      uid: 'jane',
      extra: { 'example.com/dept': ['d'], 'example.com/nested': ['1', '2'] },
    });
    const refused: [Claims, RegExp][] = [
      [{ ...more, hd: undefined }, /^oidc: required claim hd not present in ID token$/],
      [{ ...more, hd: 'x' }, /^oidc: required claim hd value does not match\. Got = x, want = example\.com$/],
      [{ ...more, hd: 5 }, /^oidc: parse claim hd: json: cannot unmarshal number into Go value of type string$/],
      [
        { ...more, level: 1 },
        /^oidc: error evaluating claim validation expression: validation expression 'claims\.level > 2' failed: too low$/,
      ],
      [{ ...more, sub: 'system:x' }, /^oidc: error evaluating user info validation rule: validation expression '.*' failed: reserved$/],
      [{ ...more, level: undefined }, /expression 'claims\.level > 2' resulted in error: no such key: level/],
      [{ ...more, roles: 7 }, /^oidc: error evaluating group claim expression: expression .* resulted in error/],
      [
        { ...more, nested: { list: [1] } },
        /^oidc: error evaluating extra claim expression: claims\.nested\.list: expression must return a string or a list of strings$/,
      ],
    ];
    for (const [given, expected] of refused) assert.match(String(await ask(await issuer.sign(claims(given)))), expected);
  });

  it('asks for email_verified where the name is an email address', async () => {
    await withConfiguration([jwtOf(issuer, {}, { username: { claim: 'email', prefix: 'p:' } })]);
    assert.deepEqual(await ask(await issuer.sign(claims({ email: 'a@b', email_verified: true }))), { name: 'p:a@b', groups: [] });
    assert.deepEqual(await ask(await issuer.sign(claims({ email: 'a@b' }))), { name: 'p:a@b', groups: [] });
    assert.equal(await ask(await issuer.sign(claims({ email: 'a@b', email_verified: false }))), 'oidc: email not verified');
    assert.match(String(await ask(await issuer.sign(claims({ email: 'a@b', email_verified: 'true' })))), /parse 'email_verified' claim/);
    assert.match(String(await ask(await issuer.sign(claims()))), /^oidc: parse username claims "email": claim not present$/);
  });

  it('of several issuers each by its own keys, with a discovery document elsewhere', async () => {
    const other = await startTestIssuer('/tenant');
    try {
      const discoveryURL = `${issuer.url}/elsewhere`;
      issuer.answer = (request, response) => {
        if (request.url === '/elsewhere')
          response.end(JSON.stringify({ issuer: 'https://internal.example', jwks_uri: `${issuer.url}/keys` }));
        else if (request.url === '/keys') response.end(JSON.stringify({ keys: issuer.keys }));
        else response.writeHead(404).end();
      };
      const internal = {
        url: 'https://internal.example',
        discoveryURL,
        certificateAuthority: issuer.ca,
        audiences: ['a', 'b'],
        audienceMatchPolicy: 'MatchAny',
      };
      await withConfiguration([{ ...jwtOf(issuer), issuer: internal }, jwtOf(other)]);
      assert.deepEqual(await ask(await issuer.sign(claims({ iss: 'https://internal.example', aud: ['b', 'c'] }))), {
        name: 'jane',
        groups: [],
      });
      assert.match(
        String(await ask(await issuer.sign(claims({ iss: 'https://internal.example', aud: 'c' })))),
        /expected audience in \["a" "b"\] got \["c"\]/,
      );
      assert.deepEqual(await ask(await other.sign(goodClaims(other, { sub: 'joe' }))), { name: 'joe', groups: [] });
      assert.match(
        String(await ask(await issuer.sign(goodClaims(other), { alg: 'ES256' }))),
        /failed to verify id token signature/,
        'by the keys of another issuer',
      );
    } finally {
      other.close();
    }
  });

  it('fetches groups that the token says are kept elsewhere', async () => {
    await withConfiguration([jwtOf(issuer, {}, { username: { claim: 'sub', prefix: '' }, groups: { claim: 'groups', prefix: 'g:' } })]);
    let seen: string | undefined;
    const distributed = await issuer.sign(claims({ groups: ['far', 'away'] }));
    const refer = (source: object) => issuer.sign(claims({ _claim_names: { groups: 'src' }, _claim_sources: { src: source } }));
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'jane', groups: [] });
    // The issuer of distributed claims is discovered when the first of them comes.
    const token = await refer({ endpoint: `${issuer.url}/groups`, access_token: 'secret' });
    const [discovery, keys] = [
      JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }),
      () => JSON.stringify({ keys: issuer.keys }),
    ];
    const answers: Record<string, () => string> = {
      '/.well-known/openid-configuration': () => discovery,
      '/keys': keys,
      '/groups': () => distributed,
    };
    issuer.answer = (request, response) => {
      if (request.url === '/groups') seen = request.headers.authorization;
      response.end(answers[request.url ?? '']?.() ?? '');
    };
    assert.match(String(await ask(token)), /verifier not initialized for issuer/);
    for (let attempt = 0; attempt < 50 && typeof (await ask(token)) === 'string'; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await ask(token), { name: 'jane', groups: ['g:far', 'g:away'] });
    assert.equal(seen, 'Bearer secret');
    answers['/groups'] = () => forgeToken({ alg: 'none' }, claims({ groups: ['root'] }));
    assert.match(
      String(await ask(token)),
      /could not expand distributed claims: verify distributed claim token: .*unsupported algorithm, .* got "none"/,
    );
    assert.match(String(await ask(await refer({ endpoint: `http://127.0.0.1:1/` }))), /unsupported protocol scheme "http"/);
    assert.match(
      String(await ask(await issuer.sign(claims({ _claim_names: { groups: 'x' }, _claim_sources: {} })))),
      /oidc: verify token: oidc: source does not exist/,
    );
  });

  it('waits for no issuer that hangs, drips, answers without end or sends elsewhere', async () => {
    await withConfiguration([jwtOf(issuer)]);
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'jane', groups: [] });
    const client = createIssuerClient(issuer.ca, systemClock);
    const endless = Buffer.alloc(65_536, 0x20);
    issuer.answer = (_, response) => {
      const more = () => void (response.destroyed || (response.write(endless) ? setImmediate(more) : response.once('drain', more)));
      more();
    };
    await assert.rejects(client.get(`${issuer.url}/x`), /the answer is larger than 1048576 bytes/);
    issuer.answer = (request, response) => void response.writeHead(302, { location: request.url ?? '' }).end();
    await assert.rejects(client.get(`${issuer.url}/x`), /stopped after 10 redirects/);
    issuer.answer = (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    await assert.rejects(client.get(`${issuer.url}/x`), /unsupported protocol scheme "http"/);
    const clock = createManualClock();
    issuer.answer = (_, response) => void response.write('{');
    const hanging = assert.rejects(createIssuerClient(issuer.ca, clock).get(`${issuer.url}/x`), /context deadline exceeded/);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await clock.advance(30_000);
    await hanging;
    await assert.rejects(createIssuerClient(undefined, systemClock).get(`${issuer.url}/x`), /self-signed|unable to/);
    await opened?.close();
    issuer.answer = () => {};
    await withConfiguration([jwtOf(issuer)]);
    const token = await issuer.sign(claims());
    await assert.rejects(async () => opened?.remoteTokens[0]?.authenticateToken(token, []), /oidc: authenticator not initialized/);
  });

  it('is not held up by large and odd tokens, nor by expensive expressions', async () => {
    await withConfiguration([
      jwtOf(issuer, { claimValidationRules: [{ expression: 'claims.groups.all(x, claims.groups.exists(y, y == x))' }] }),
    ]);
    const groups = Array.from({ length: 4000 }, (_, index) => `group-${index}`);
    await ask(await issuer.sign(claims({ groups: [] })));
    const tokens = [
      await issuer.sign(claims({ groups })),
      await issuer.sign(claims({ big: 'x'.repeat(90_000) })),
      forgeToken({ alg: 'RS256' }, claims({ deep: `${'['.repeat(40_000)}` }), 'AAAA'),
      `e30.${Buffer.from(`{"iss":${'['.repeat(40_000)}${']'.repeat(40_000)}}`).toString('base64url')}.AAAA`,
      `${'e30'.repeat(30_000)}.e30.AAAA`,
      `${'.'.repeat(90_000)}`,
      `e30.${'A'.repeat(5_000_000)}.e30`,
    ];
    for (const token of tokens) {
      let answer: UserInfo | string | undefined;
      const ms = await threadTimeOf(async () => void (answer = await ask(token)));
      assert.ok(answer === undefined || typeof answer === 'string', JSON.stringify(answer));
      assert.ok(ms < 150, `${ms} ms for ${token.slice(0, 20)}...`);
    }
    assert.match(String(await ask(tokens[0] ?? '')), /actual cost limit exceeded/);
  });

  it('takes over a changed file, keeps what it has while that is wrong, and counts both', async () => {
    const jwt = [jwtOf(issuer)];
    await withConfiguration(jwt, { anonymous: { enabled: true, conditions: [{ path: '/livez' }] } });
    const families = createMetricFamilies();
    opened?.countIn(families);
    const metrics = async () => {
      let text = '';
      for await (const piece of families.texts()) text += piece;
      return text
        .split('\n')
        .filter((line) => line.startsWith('apiserver_authentication_config_controller_automatic_reloads_total'))
        .join();
    };
    const until = async (expected: RegExp) => {
      for (let attempt = 0; attempt < 200; attempt++) {
        if (expected.test(await metrics())) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.match(await metrics(), expected);
    };
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'jane', groups: [] });
    const anonymous = { anonymous: { enabled: true, conditions: [{ path: '/livez' }] } };
    await configure([jwtOf(issuer, { nonsense: 1 })], anonymous);
    await until(/status="failure",apiserver_id_hash="sha256:[0-9a-f]{64}"\} 1/);
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'jane', groups: [] });
    await configure(jwt, { anonymous: { enabled: false } });
    await until(/status="failure".*\} 2/);
    await configure([jwtOf(issuer, {}, { username: { claim: 'sub', prefix: 'new:' } })], anonymous);
    await until(/status="success".*\} 1/);
    assert.deepEqual(await ask(await issuer.sign(claims())), { name: 'new:jane', groups: [] });
    await configure([], anonymous);
    await until(/status="success".*\} 2/);
    assert.equal(await ask(await issuer.sign(claims())), undefined);
  });
});
