import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { CompactSign, type JWK } from 'jose';
import { createSeededRandom } from '../../../../api/base/testing/seeded-random.ts';
import { systemClock } from '../../../../api/base/system-clock.ts';
import { type KeyPairPEM, nodeServingCertificate } from '../../../pki/certificate-spec.ts';
import { makeAuthority, makeCertificate } from '../../../pki/make-certificate.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** An OpenID Connect issuer of a test's own, on HTTPS. */
export interface TestIssuer {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly authority: KeyPairPEM;
  /** Requests by path. */
  readonly requests: string[];
  /** Answers in place of the discovery document, the keys and everything else. */
  answer: RequestListener | undefined;
  /** The keys that it publishes. */
  keys: readonly JWK[];
  /** Signs by the first key of that algorithm that was made. */
  sign(claims: Claims, options?: { readonly alg?: string; readonly kid?: string; readonly header?: Claims }): Promise<string>;
  /** Signs by another key, which it publishes from now on beside the others. */
  rotate(kid: string): void;
  close(): void;
}

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

function makeKeys(alg: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const curve = curves[alg];
  return curve === undefined ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: curve });
}

const rsaKeys = makeKeys('RS256');

/** Claims of a user, good for an hour. */
export function goodClaims(issuer: Pick<TestIssuer, 'url'>, more: Claims = {}): Claims {
  const now = Math.floor(systemClock.nowMs() / 1000);
  return { iss: issuer.url, aud: 'my-client', sub: 'jane', exp: now + 3600, iat: now, ...more };
}

export async function startTestIssuer(path = ''): Promise<TestIssuer> {
  const making = { clock: systemClock, random: createSeededRandom(7) };
  const authority = await makeAuthority('issuer-ca', making);
  const own = await makeCertificate(nodeServingCertificate('localhost', [], ['127.0.0.1']), authority, making);
  const signing = new Map<string, { readonly privateKey: KeyObject; readonly kid: string }>();
  let keys: readonly JWK[] = [];
  const keyFor = (alg: string) => {
    let found = signing.get(alg);
    if (!found) {
      const { privateKey, publicKey } = alg.startsWith('RS') || alg.startsWith('PS') ? rsaKeys : makeKeys(alg);
      const kid = `${alg}-key`;
      signing.set(alg, (found = { privateKey, kid }));
      issuer.keys = [...issuer.keys, { ...publicKey.export({ format: 'jwk' }), kid } as JWK];
    }
    return found;
  };
  const server = https.createServer({ cert: own.certificatePEM, key: own.keyPEM }, (request, response) => {
    issuer.requests.push(request.url ?? '');
    if (issuer.answer) return issuer.answer(request, response);
    response.setHeader('content-type', 'application/json');
    if (request.url === `${path}/.well-known/openid-configuration`)
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }));
    else if (request.url === `${path}/keys`) response.end(JSON.stringify({ keys }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const issuer: TestIssuer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    ca: authority.certificatePEM,
    authority,
    requests: [],
    answer: undefined,
    get keys() {
      return keys;
    },
    set keys(now) {
      keys = now;
    },
    async sign(claims, { alg = 'RS256', kid, header = {} } = {}) {
      const key = keyFor(alg);
      return await new CompactSign(Buffer.from(JSON.stringify({ ...claims })))
        .setProtectedHeader({ alg, kid: kid ?? key.kid, ...header })
        .sign(key.privateKey);
    },
    rotate(kid) {
      const { privateKey, publicKey } = makeKeys('ES256');
      signing.set('ES256', { privateKey, kid });
      issuer.keys = [...issuer.keys, { ...publicKey.export({ format: 'jwk' }), kid } as JWK];
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  keyFor('RS256');
  return issuer;
}

/** A token that nothing has signed, or a signature of the caller's. */
export function forgeToken(header: Claims, claims: Claims, signature = ''): string {
  const encode = (part: Claims) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode({ jti: randomUUID(), ...claims })}.${signature}`;
}
