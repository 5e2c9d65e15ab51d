import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { createSeededRandom } from '../../../api/base/testing/seeded-random.ts';
import type { APIRequest } from '../../../api/client/transport.ts';
import { unauthorized } from '../../../api/meta/status-errors.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { clientCertificate, type KeyPairPEM, kubeletClientName } from '../../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate, makeSigningKey } from '../../pki/make-certificate.ts';
import type { TokenAuthenticator } from './authenticator.ts';
import { bearerTokenAuthenticator, ignoredTokenWarning } from './bearer-token.ts';
import { bootstrapTokenAuthenticator } from './bootstrap-token.ts';
import { clientCertificateAuthenticator, createCertificateVerifier } from './client-certificate.ts';
import { frontProxyAuthenticator } from './front-proxy.ts';
import { defaultFrontProxyTrust } from './request-headers.ts';
import { readServiceAccountKeys } from './service-account-keys.ts';
import { createTokenIssuer } from './service-account-token-issuer.ts';
import { type BoundObjects, serviceAccountTokenAuthenticator } from './service-account-token.ts';
import { cachedTokenAuthenticator } from './token-cache.ts';
import { unionAuthenticator, unionTokenAuthenticator } from './union.ts';
import { withAuthenticatedGroup } from './well-known.ts';

const clock = createManualClock(Date.UTC(2026, 5, 1));
const random = createSeededRandom(3);
const making = { clock, random };
const dayMs = 86_400_000;

function request(parts: Partial<APIRequest>): APIRequest {
  return {
    method: 'GET',
    path: '/',
    query: '',
    headers: {},
    signal: new AbortController().signal,
    peer: { address: '192.0.2.1' },
    ...parts,
  };
}

describe('client certificates', () => {
  let authority: KeyPairPEM;
  let other: KeyPairPEM;
  before(async () => {
    [authority, other] = await Promise.all([makeAuthority('kubernetes', making), makeAuthority('kubernetes', making)]);
  });
  const userOf = async (pair: KeyPairPEM) => {
    const authenticator = clientCertificateAuthenticator(createCertificateVerifier([authority.certificatePEM], clock));
    return authenticator.authenticate(request({ peer: { address: '', certificate: new X509Certificate(pair.certificatePEM).raw } }));
  };
  it('are users and groups', async () => {
    const user = await userOf(await makeCertificate(clientCertificate('jane', ['dev', 'ops']), authority, making));
    assert.deepEqual([user?.name, user?.groups], ['jane', ['dev', 'ops']]);
    assert.match(user?.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/);
  });
  it('of the API server itself, as a client of kubelets, are refused', async () =>
    assert.rejects(userOf(await makeCertificate(clientCertificate(kubeletClientName), authority, making)), {
      code: 401,
      message: 'Unauthorized',
    }));
  it('of another authority of the same name are refused', async () =>
    assert.rejects(userOf(await makeCertificate(clientCertificate('jane'), other, making)), { message: 'Unauthorized' }));
  it('for servers are refused', async () =>
    assert.rejects(userOf(await makeCertificate({ ...clientCertificate('jane'), usages: ['server'] }, authority, making)), {
      message: 'Unauthorized',
    }));
  it('that are not valid any more are refused', async () => {
    const pair = await makeCertificate(clientCertificate('jane'), authority, {
      random,
      clock: createManualClock(clock.nowMs() - 400 * dayMs),
    });
    await assert.rejects(userOf(pair), { message: 'Unauthorized' });
  });
  it('cannot smuggle a group in through a line break', async () => {
    const user = await userOf(await makeCertificate(clientCertificate('jane\nO=system:masters'), authority, making));
    assert.deepEqual(user?.groups ?? [], []);
  });
});

describe('front proxy headers', () => {
  it('are believed from the front proxy only', async () => {
    const authority = await makeAuthority('front-proxy-ca', making);
    const authenticator = frontProxyAuthenticator(createCertificateVerifier([authority.certificatePEM], clock), defaultFrontProxyTrust);
    const headers = { 'x-remote-user': 'jane', 'x-remote-group': 'dev, cn=x,system:masters', 'x-remote-extra-a%2fb': 'c,d' };
    const repeatedHeaders = { 'x-remote-group': ['dev', 'cn=x,system:masters'] };
    const as = async (commonName: string) => {
      const pair = await makeCertificate(clientCertificate(commonName), authority, making);
      return authenticator.authenticate(
        request({ headers, repeatedHeaders, peer: { address: '', certificate: new X509Certificate(pair.certificatePEM).raw } }),
      );
    };
    assert.deepEqual(await as('front-proxy-client'), {
      name: 'jane',
      groups: ['dev', 'cn=x,system:masters'],
      extra: { 'a/b': ['c,d'] },
    });
    assert.equal(await as('someone'), undefined);
    assert.equal(await authenticator.authenticate(request({ headers })), undefined);
  });
  it('are read by the names that are configured, from any certificate where no names are', async () => {
    const authority = await makeAuthority('front-proxy-ca', making);
    const names = { usernames: ['X-User', 'X-Login'], uids: ['X-ID'], groups: ['X-Group', 'X-Team'], extraPrefixes: ['X-More-'] };
    const verify = createCertificateVerifier([authority.certificatePEM], clock);
    const authenticator = frontProxyAuthenticator(verify, { headers: names, allowedNames: [] });
    const pair = await makeCertificate(clientCertificate('anyone'), authority, making);
    const peer = { address: '', certificate: new X509Certificate(pair.certificatePEM).raw };
    const as = (headers: Record<string, string>) => authenticator.authenticate(request({ headers, peer }));
    const headers = { 'x-login': 'jane', 'x-id': '7', 'x-group': 'dev', 'x-team': 'ops', 'x-more-a': 'b' };
    assert.deepEqual(await as(headers), { name: 'jane', uid: '7', groups: ['dev', 'ops'], extra: { a: ['b'] } });
    assert.equal((await as({ ...headers, 'x-user': 'first' }))?.name, 'first');
    assert.equal(await as({ 'x-remote-user': 'jane' }), undefined);
  });
});

const signing = await makeSigningKey();

describe('service account tokens', () => {
  const issuerName = 'https://kubernetes.default.svc.cluster.local';
  const live = new Map<string, { uid: string; deletionMs: number | undefined }>();
  const objects: BoundObjects = { find: async (kind, { namespace, name }) => live.get(`${kind}/${namespace}/${name}`) };
  const keys = readServiceAccountKeys(signing.privateKeyPEM);
  const common = { keys, audiences: [issuerName], clock };
  const issuer = createTokenIssuer({ ...common, issuer: issuerName, random });
  const tokens = serviceAccountTokenAuthenticator({ ...common, issuers: [issuerName, 'https://former.test'], objects });
  const account = { namespace: 'ns', serviceAccount: { name: 'sa', uid: 'sa-uid' }, audiences: [] as string[], expirationSeconds: 3600 };
  const boundToPod = {
    ...account,
    boundObject: { kind: 'Pod' as const, name: 'web', uid: 'pod-uid' },
    node: { name: 'n1', uid: 'n1-uid' },
  };

  beforeEach(() => {
    live.clear();
    live.set('ServiceAccount/ns/sa', { uid: 'sa-uid', deletionMs: undefined });
    live.set('Pod/ns/web', { uid: 'pod-uid', deletionMs: undefined });
  });

  it('say who, and of which pod on which node', async () => {
    const { token, expirationMs } = await issuer.issue(boundToPod);
    assert.equal(expirationMs, clock.nowMs() + 3_600_000);
    const result = await tokens.authenticateToken(token, []);
    const { 'authentication.kubernetes.io/credential-id': [credential] = [], ...extra } = result?.user.extra ?? {};
    assert.match(credential ?? '', /^JTI=/);
    assert.deepEqual(
      { ...result?.user, extra },
      {
        name: 'system:serviceaccount:ns:sa',
        uid: 'sa-uid',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:ns'],
        extra: {
          'authentication.kubernetes.io/node-name': ['n1'],
          'authentication.kubernetes.io/node-uid': ['n1-uid'],
          'authentication.kubernetes.io/pod-name': ['web'],
          'authentication.kubernetes.io/pod-uid': ['pod-uid'],
        },
      },
    );
    assert.deepEqual(result?.audiences, [issuerName]);
  });

  it('are good of every issuer that is accepted, also for audiences of another one', async () => {
    const subject = async (issuer: string) => {
      const { token } = await createTokenIssuer({ ...common, issuer, random }).issue(account);
      return (await tokens.authenticateToken(token, []))?.user.name;
    };
    assert.equal(await subject(issuerName), 'system:serviceaccount:ns:sa');
    assert.equal(await subject('https://former.test'), 'system:serviceaccount:ns:sa');
    assert.equal(await subject('https://other.test'), undefined);
  });

  const forge = (header: { alg: string; kid?: string }, key: Parameters<SignJWT['sign']>[0], payload: JWTPayload = {}) =>
    new SignJWT({
      'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'sa', uid: 'sa-uid' } },
      sub: 'system:serviceaccount:ns:sa',
      iss: issuerName,
      aud: issuerName,
      exp: clock.nowMs() / 1000 + 100,
      ...payload,
    })
      .setProtectedHeader(header)
      .sign(key);

  const refused: [string, () => Promise<string>][] = [
    [
      'that have expired',
      async () => forge({ alg: 'ES256', kid: keys.signing.id }, keys.signing.privateKey, { exp: clock.nowMs() / 1000 - 61 }),
    ],
    ['by another key', async () => forge({ alg: 'ES256' }, createPrivateKey((await makeSigningKey()).privateKeyPEM))],
    ['by HMAC with the public key as the secret', async () => forge({ alg: 'HS256' }, Buffer.from(signing.publicKeyPEM))],
    [
      'without signature',
      async () => {
        const [, payload] = (await issuer.issue(account)).token.split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
    ],
    ['for another audience', async () => (await issuer.issue({ ...account, audiences: ['vault'] })).token],
    [
      'that name another account than their subject',
      async () => forge({ alg: 'ES256' }, keys.signing.privateKey, { sub: 'system:serviceaccount:kube-system:admin' }),
    ],
    [
      'of a pod that is gone',
      async () => {
        live.delete('Pod/ns/web');
        return (await issuer.issue(boundToPod)).token;
      },
    ],
    [
      'of a pod that was made again',
      async () => {
        live.set('Pod/ns/web', { uid: 'other', deletionMs: undefined });
        return (await issuer.issue(boundToPod)).token;
      },
    ],
    [
      'of an account that was deleted a while ago',
      async () => {
        live.set('ServiceAccount/ns/sa', { uid: 'sa-uid', deletionMs: clock.nowMs() - 61_000 });
        return (await issuer.issue(account)).token;
      },
    ],
  ];
  for (const [name, make] of refused) {
    it(`${name} are refused`, async () => {
      const authenticator = bearerTokenAuthenticator(tokens);
      const bad = request({ headers: { authorization: `Bearer ${await make()}` } });
      await assert.rejects(async () => authenticator.authenticate(bad), { name: 'StatusError', code: 401 });
    });
  }

  it('are good a minute longer and earlier than they say, as clocks may differ', async () => {
    const now = clock.nowMs() / 1000;
    for (const times of [{ exp: now - 59 }, { nbf: now + 59 }, { aud: undefined as never }])
      assert.ok(await tokens.authenticateToken(await forge({ alg: 'ES256' }, keys.signing.privateKey, times), []), JSON.stringify(times));
  });

  it("that are refused say why in upstream's words", async () => {
    const by = (payload: JWTPayload, kid?: string) =>
      forge({ alg: 'ES256', ...(kid === undefined ? {} : { kid }) }, keys.signing.privateKey, payload);
    const now = clock.nowMs() / 1000;
    const account = (serviceaccount: object) => ({ 'kubernetes.io': { namespace: 'ns', serviceaccount } });
    const pod = { name: 'web', uid: 'x' };
    const cases: [string, Promise<string>][] = [
      ['invalid signature, no keys found', by({}, 'x')],
      ['go-jose/go-jose: error in cryptographic primitive', forge({ alg: 'HS256' }, Buffer.from(signing.publicKeyPEM))],
      ['service account token is not valid yet', by({ nbf: now + 61 })],
      [
        'token audiences ["a" "b"] is invalid for the target audiences ["https://kubernetes.default.svc.cluster.local"]',
        by({ aud: ['a', 'b'] }),
      ],
      ['serviceaccounts "nobody" not found', by(account({ name: 'nobody', uid: 'x' }))],
      ['service account UID (sa-uid) does not match claim (x)', by(account({ name: 'sa', uid: 'x' }))],
      ['resource name may not be empty', by({ 'kubernetes.io': undefined })],
      [
        'pod UID (pod-uid) does not match service account pod ref claim (x)',
        by({ 'kubernetes.io': { namespace: 'ns', serviceaccount: { name: 'sa', uid: 'sa-uid' }, pod } }),
      ],
    ];
    for (const [message, token] of cases)
      await assert.rejects(async () => tokens.authenticateToken(await token, []), { code: 401, message });
  });

  it('are good for the audience they were made for', async () => {
    const { token } = await issuer.issue({ ...account, audiences: ['vault', 'other'] });
    assert.deepEqual((await tokens.authenticateToken(token, ['vault', 'x']))?.audiences, ['vault']);
  });

  it('of others are none of our business', async () =>
    assert.equal(
      await tokens.authenticateToken(await forge({ alg: 'ES256' }, keys.signing.privateKey, { iss: 'https://other' }), []),
      undefined,
    ));

  it('by an older key are believed', async () => {
    const next = await makeSigningKey();
    const rotated = serviceAccountTokenAuthenticator({
      ...common,
      issuers: [issuerName],
      keys: readServiceAccountKeys(next.privateKeyPEM, [signing.publicKeyPEM]),
      objects,
    });
    assert.ok(await rotated.authenticateToken((await issuer.issue(account)).token, []));
  });

  it('come by WebSocket subprotocol too', async () => {
    const { token } = await issuer.issue(account);
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
    const headers = { upgrade: 'websocket', 'sec-websocket-protocol': `v5.channel.k8s.io, ${protocol}` };
    assert.equal((await bearerTokenAuthenticator(tokens).authenticate(request({ headers })))?.name, 'system:serviceaccount:ns:sa');
  });

  it('come by WebSocket once, beside a protocol to be spoken', async () => {
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from((await issuer.issue(account)).token).toString('base64url')}`;
    for (const offered of [protocol, `a, ${protocol}, ${protocol}`, 'a, base64url.bearer.authorization.k8s.io.', `a, ${protocol}=`])
      await assert.rejects(
        async () =>
          bearerTokenAuthenticator(tokens).authenticate(request({ headers: { upgrade: 'websocket', 'sec-websocket-protocol': offered } })),
        { message: 'Unauthorized' },
      );
  });
});

describe('bootstrap tokens', () => {
  const data = {
    'token-id': 'abcdef',
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
  };
  const type = 'bootstrap.kubernetes.io/token';
  const check = (secret: object, token = 'abcdef.0123456789abcdef') =>
    bootstrapTokenAuthenticator({
      findSecret: async (name) => (name === 'bootstrap-token-abcdef' ? { type, isDeleted: false, data, ...secret } : undefined),
      audiences: ['api'],
      clock,
    }).authenticateToken(token, []);
  it('are bootstrappers', async () =>
    assert.deepEqual((await check({}))?.user, {
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token'],
    }));
  const refused: [string, object, string?][] = [
    ['of a wrong secret', {}, 'abcdef.0123456789abcdeX'.toLowerCase()],
    ['of another id', {}, 'bbcdef.0123456789abcdef'],
    ['that are none', {}, 'abc'],
    ['for signing only', { data: { ...data, 'usage-bootstrap-authentication': 'false' } }],
    ['that have expired', { data: { ...data, expiration: formatTime(clock.nowMs() - 1000) } }],
    ['whose expiration cannot be read', { data: { ...data, expiration: 'tomorrow' } }],
    ['with groups of others', { data: { ...data, 'auth-extra-groups': 'system:masters' } }],
    ['in a secret of another type', { type: 'Opaque' }],
    ['in a deleted secret', { isDeleted: true }],
  ];
  for (const [name, secret, token] of refused) it(`${name} are nobody`, async () => assert.equal(await check(secret, token), undefined));
});

describe('token cache', () => {
  it('asks again after ten seconds, and after a failure at once', async () => {
    let calls = 0;
    let isGood = false;
    const inner: TokenAuthenticator = {
      async authenticateToken() {
        calls++;
        return isGood ? { user: { name: 'u', groups: [] }, audiences: [] } : undefined;
      },
    };
    const time = createManualClock();
    const cached = cachedTokenAuthenticator(inner, { clock: time, successTTLMs: 10_000, failureTTLMs: 0 });
    await cached.authenticateToken('t', []);
    isGood = true;
    await cached.authenticateToken('t', []);
    await cached.authenticateToken('t', []);
    assert.equal(calls, 2);
    await cached.authenticateToken('t', ['other']);
    assert.equal(calls, 3);
    await cached.authenticateToken('t', ['']);
    await cached.authenticateToken('t', ['a', 'b']);
    await cached.authenticateToken('t', ['a\0b']);
    assert.equal(calls, 6);
    await time.advance(10_000);
    await cached.authenticateToken('t', []);
    assert.equal(calls, 7);
  });
});

describe('several authenticators', () => {
  it('of tokens are all asked, and what they say is joined', async () => {
    const bad = (message: string): TokenAuthenticator => ({ authenticateToken: () => Promise.reject(unauthorized(message)) });
    const good: TokenAuthenticator = { authenticateToken: async () => ({ user: { name: 'u', groups: [] }, audiences: [] }) };
    assert.equal((await unionTokenAuthenticator([bad('a'), good]).authenticateToken('t', []))?.user.name, 'u');
    await assert.rejects(async () => unionTokenAuthenticator([bad('a'), bad('b'), bad('a')]).authenticateToken('t', []), {
      message: '[a, b]',
    });
    await assert.rejects(async () => unionTokenAuthenticator([bad('a')]).authenticateToken('t', []), { message: 'a' });
  });

  it('leave nobody in peace: the name of nobody is in no group of those who are somebody', () =>
    assert.deepEqual(withAuthenticatedGroup({ name: 'system:anonymous', groups: [] }).groups, []));

  it('read a token behind one space only', () => {
    const read = (authorization: string) => {
      let shown: string | undefined;
      const tokens: TokenAuthenticator = {
        authenticateToken: (token) => {
          shown = token;
          return undefined;
        },
      };
      try {
        void bearerTokenAuthenticator(tokens).authenticate(request({ headers: { authorization } }));
      } catch {
        // nobody knows the token
      }
      return [shown, ignoredTokenWarning(request({ headers: { authorization } })) !== undefined];
    };
    assert.deepEqual(read('bearer a'), ['a', false]);
    assert.deepEqual(read('Bearer a b'), ['a', false]);
    assert.deepEqual(read('Bearer  a'), [undefined, true]);
    for (const text of ['Bearer', 'Bearer ', 'Basic a', 'Bearer\ta', '']) assert.deepEqual(read(text), [undefined, false], text);
  });

  it('a good credential counts though another is bad', async () => {
    const good = { authenticate: async () => ({ name: 'u', groups: [] }) };
    const bad = { authenticate: () => Promise.reject(new Error('bad')) };
    assert.equal((await unionAuthenticator([bad, good]).authenticate(request({})))?.name, 'u');
    await assert.rejects(async () => unionAuthenticator([bad]).authenticate(request({})), /bad/);
  });
});
