import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { validateAuthenticationConfiguration } from '../../apiserver/authentication/jwt/validate-configuration.ts';
import { createJWTAuthenticators, type JWTAuthenticators } from '../../apiserver/authentication/jwt/jwt-authenticators.ts';
import { createJWTMetrics } from '../../apiserver/authentication/jwt/jwt-metrics.ts';
import { signingAlgorithms } from '../../apiserver/authentication/jwt/jwt-authenticator.ts';
import {
  type Claims,
  forgeToken,
  goodClaims,
  startTestIssuer,
  type TestIssuer,
} from '../../apiserver/authentication/testing/test-issuer.ts';
import { createIssuerClient } from './issuer-client.ts';

type SignOptions = NonNullable<Parameters<TestIssuer['sign']>[1]>;

/** Changed claims of a good token, and the verdict of a kube-apiserver v1.32 with the same configuration: user, groups and uid. */
const tableAt = (now: number): Readonly<Record<string, readonly [verdict: string, claims: Claims, options?: SignOptions]>> => ({
  good: ['p:jane', {}],
  'other audience': ['refused', { aud: 'x' }],
  'several audiences': ['p:jane', { aud: ['x', 'my-client'] }],
  'no audience': ['refused', { aud: undefined }],
  'audience null': ['refused', { aud: null }],
  'audience number': ['refused', { aud: 5 }],
  expired: ['refused', { exp: now - 3600 }],
  'no expiry': ['refused', { exp: undefined }],
  'expiry text': ['p:jane', { exp: String(now + 600) }],
  'expiry words': ['refused', { exp: 'soon' }],
  'expiry float': ['p:jane', { exp: now + 600.9 }],
  'not before soon': ['refused', { nbf: now + 200 }],
  'not before late': ['refused', { nbf: now + 4000 }],
  'issued in the future': ['p:jane', { iat: now + 10_000 }],
  'no subject': ['refused', { sub: undefined }],
  'empty subject': ['p:', { sub: '' }],
  'null subject': ['p:', { sub: null }],
  'number subject': ['refused', { sub: 5 }],
  'groups text': ['p:jane a', { groups: 'a' }],
  'groups list': ['p:jane a|b', { groups: ['a', 'b'] }],
  'groups empty': ['p:jane', { groups: [] }],
  'groups null': ['p:jane', { groups: null }],
  'groups number': ['refused', { groups: 5 }],
  'groups mixed': ['refused', { groups: ['a', 5] }],
  'groups of null': ['p:jane a|', { groups: ['a', null] }],
  'groups nested': ['refused', { groups: [['a']] }],
  'uid number': ['refused', { uid: 5 }],
  'uid text': ['p:jane #u', { uid: 'u' }],
  'rule double': ['p:jane', { n: 1.0 }],
  'rule fails': ['refused', { n: 2 }],
  'rule text': ['refused', { n: 'x' }],
  'jti number': ['p:jane', { jti: 5 }],
  'other issuer': ['refused', { iss: 'https://x' }],
  'no issuer': ['refused', { iss: undefined }],
  'system user': ['p:system:masters', { sub: 'system:masters' }],
  'claim names': ['refused', { _claim_names: { groups: 'x' }, _claim_sources: {} }],
  'claim names text': ['refused', { _claim_names: 'x' }],
  'claim names no sources': ['refused', { _claim_names: { groups: 'x' } }],
  'claim names other claim': ['p:jane', { _claim_names: { email: 'x' }, _claim_sources: { x: {} } }],
  aggregated: ['p:jane', { _claim_names: { groups: 'x' }, _claim_sources: { x: { JWT: 'a.b.c' } } }],
  'no kid': ['p:jane', {}, { header: { kid: undefined } }],
  'unknown kid': ['refused', {}, { kid: 'zzz' }],
  'empty kid': ['p:jane', {}, { kid: '' }],
  'alg RS256': ['p:jane', {}, { alg: 'RS256' }],
  'alg RS384': ['p:jane', {}, { alg: 'RS384' }],
  'alg RS512': ['p:jane', {}, { alg: 'RS512' }],
  'alg ES256': ['p:jane', {}, { alg: 'ES256' }],
  'alg ES384': ['p:jane', {}, { alg: 'ES384' }],
  'alg ES512': ['p:jane', {}, { alg: 'ES512' }],
  'alg PS256': ['p:jane', {}, { alg: 'PS256' }],
  'alg PS384': ['p:jane', {}, { alg: 'PS384' }],
  'alg PS512': ['p:jane', {}, { alg: 'PS512' }],
});

describe('tokens of an issuer, as a kube-apiserver takes them', function () {
  this.timeout(60_000);
  let issuer: TestIssuer;
  let tokens: JWTAuthenticators;
  before(async () => {
    issuer = await startTestIssuer();
    const { jwt, errors } = validateAuthenticationConfiguration(
      {
        jwt: [
          {
            issuer: { url: issuer.url, certificateAuthority: issuer.ca, audiences: ['my-client'] },
            claimMappings: {
              username: { claim: 'sub', prefix: 'p:' },
              groups: { claim: 'groups', prefix: '' },
              uid: { expression: 'claims.?uid.orValue("")' },
            },
            claimValidationRules: [{ expression: 'claims.?n.orValue(1) == 1', message: 'n' }],
          },
        ],
      },
      [],
    );
    assert.deepEqual(errors, []);
    tokens = createJWTAuthenticators([], {
      ...{ clock: systemClock, logger: silentLogger, metrics: createJWTMetrics(systemClock, 'test'), audiences: ['api'] },
      algorithms: signingAlgorithms,
      createClient: (ca) => createIssuerClient(ca, systemClock),
      pause: async () => {},
    });
    await tokens.update(jwt);
  });
  after(() => {
    tokens.close();
    issuer.close();
  });

  const verdictOf = async (token: string): Promise<string> => {
    try {
      const answer = await tokens.authenticateToken(token, []);
      if (!answer) return 'refused';
      const { name, groups, uid } = answer.user;
      return `${name}${groups.length > 0 ? ` ${groups.join('|')}` : ''}${uid === undefined ? '' : ` #${uid}`}`;
    } catch {
      return 'refused';
    }
  };

  for (const [what, [expected]] of Object.entries(tableAt(0)))
    it(`${what}: ${expected}`, async () => {
      // The times are those of the test, which may begin minutes after its file was loaded.
      const [, claims, options] = tableAt(Math.floor(systemClock.nowMs() / 1000))[what] ?? [];
      const token = await issuer.sign({ ...goodClaims(issuer), ...claims }, options);
      assert.equal(await verdictOf(token), expected);
    });

  it('refuses everything that the issuer has not signed as it is', async () => {
    const claims = goodClaims(issuer);
    const good = await issuer.sign(claims);
    const other = await issuer.sign({ ...claims, sub: 'x' });
    const [head = '', payload = '', signature = ''] = good.split('.');
    const encode = (text: string) => Buffer.from(text).toString('base64url');
    assert.equal(await verdictOf(good), 'p:jane');
    for (const token of [
      forgeToken({ alg: 'none' }, claims),
      forgeToken({ alg: 'none', kid: 'RS256-key' }, claims, 'AA'),
      forgeToken({ alg: 'HS256' }, claims, 'AA'),
      forgeToken({}, claims, 'AA'),
      forgeToken({ alg: 'RS256', kid: 'RS256-key', crit: ['x'], x: 1 }, claims, signature),
      `${head}.${payload}`,
      `${good}.x`,
      `${head}.${payload}.`,
      `${head}.${payload}=.${signature}`,
      `${head}.${encode('x')}.${signature}`,
      `${head}.${encode('[]')}.${signature}`,
      `${head}.${payload}.${other.split('.')[2]}`,
      'x',
      '{"a":1}',
    ])
      assert.equal(await verdictOf(token), 'refused', token);
  });
});
