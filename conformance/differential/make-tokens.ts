import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type JWTPayload, SignJWT } from 'jose';
import type { Facts } from './differential-request.ts';
import { createOtherKey, keyID } from './identities.ts';

const issuer = 'https://kubernetes.default.svc.cluster.local';
const namespace = 'team-a';

interface Header {
  readonly alg?: string;
  readonly kid?: string;
}

/** Signs the token that is kept in a Secret, with the uid that the server gave the account. */
export async function signSecretToken(pki: string, facts: Facts, secret: string, account: string): Promise<string> {
  const key = createPrivateKey(readFileSync(path.join(pki, 'sa.key')));
  const claims = {
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secret,
    'kubernetes.io/serviceaccount/service-account.name': account,
    'kubernetes.io/serviceaccount/service-account.uid': facts.get(`uid:serviceaccounts/${namespace}/${account}`),
    sub: `system:serviceaccount:${namespace}:${account}`,
  };
  return sign(claims, key, { kid: keyID(key) });
}

function sign(claims: JWTPayload, key: KeyObject, { alg = 'ES256', kid }: Header): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) }).sign(key);
}

/** Tokens with one mistake each, by the names of `badTokens`. */
export async function makeBadTokens(pki: string, facts: Facts): Promise<Record<string, string>> {
  const key = createPrivateKey(readFileSync(path.join(pki, 'sa.key')));
  const kid = keyID(key);
  const now = Math.floor(Date.now() / 1000);
  const uid = facts.get('uid:serviceaccounts/team-a/robot');
  const account = { name: 'robot', uid };
  const pod = { name: 'web-1', uid: facts.get('uid:pods/team-a/web-1') };
  const own = { namespace, serviceaccount: account };
  const good = {
    aud: [issuer],
    exp: now + 3600,
    iat: now,
    nbf: now,
    iss: issuer,
    sub: 'system:serviceaccount:team-a:robot',
    'kubernetes.io': own,
  };
  const nowhere = '00000000-0000-4000-8000-000000000000';
  const make = (changes: object, header: Header = { kid }) => sign({ ...good, ...changes } as JWTPayload, key, header);
  const bound = (claims: object) => make({ 'kubernetes.io': { ...own, ...claims } });
  const other = createOtherKey();
  const [header, payload, signature] = (await make({})).split('.') as [string, string, string];
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  const publicPEM = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  const hmac = new SignJWT(good).setProtectedHeader({ alg: 'HS256', kid }).sign(Buffer.from(publicPEM));
  return {
    'alg-none': `${unsigned}.${payload}.`,
    'alg-hs256': await hmac,
    'broken-signature': `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    expired: await make({ exp: now - 3600, iat: now - 7200, nbf: now - 7200 }),
    'not-yet': await make({ nbf: now + 3600 }),
    'other-issuer': await make({ iss: 'https://example.com' }),
    'other-audience': await make({ aud: ['vault'] }),
    'no-audience': await make({ aud: undefined }),
    'other-uid': await make({ 'kubernetes.io': { namespace, serviceaccount: { ...account, uid: nowhere } } }),
    'other-account': await make({
      sub: 'system:serviceaccount:team-a:nobody',
      'kubernetes.io': { namespace, serviceaccount: { ...account, name: 'nobody' } },
    }),
    'pod-other-uid': await bound({ pod: { ...pod, uid: nowhere } }),
    'pod-missing': await bound({ pod: { ...pod, name: 'nowhere' } }),
    'no-claims': await make({ 'kubernetes.io': undefined }),
    'other-key': await sign(good, other.privateKey, { kid: other.id }),
    'no-kid': await make({}, {}),
    'other-kid': await make({}, { kid: 'x' }),
    'subject-mismatch': await make({ sub: 'system:serviceaccount:kube-system:robot' }),
  };
}
