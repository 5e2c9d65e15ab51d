import type { JWK } from 'jose';
import { getOwn, isJSONObject } from '../../../../api/base/json-object.ts';
import { type Clock, sleep } from '../../../../api/base/clock.ts';
import { type IssuerClient, readJSONAnswer } from './issuer-client.ts';

/** The public keys of an issuer. */
export interface KeySet {
  /** Whether one of the keys has signed the token with one of the algorithms. Rejects with the error in the token or the keys. */
  verify(token: string, algorithms: readonly string[]): Promise<void>;
}

interface KeySetOptions {
  readonly url: string;
  readonly client: IssuerClient;
  readonly clock: Clock;
  /** Called for each attempt to fetch the keys; undefined: it failed. */
  onFetch(body: Uint8Array | undefined): void;
  readonly signal: AbortSignal;
}

/** Tokens with unknown keys make the keys be fetched anew: not more often than that. */
const minFetchIntervalMs = 1000;
/** The most keys that are tried for a token without a key id. */
const maxKeysTried = 64;

interface UsableKey {
  readonly id: string;
  readonly jwk: JWK;
}

/** The keys at a `jwks_uri`, fetched for the first token and again when no known key verifies a token. */
export function createRemoteKeySet({ url, client, clock, onFetch, signal }: KeySetOptions): KeySet {
  let keys: readonly UsableKey[] = [];
  let underWay: Promise<void> | undefined;
  let fetched: { readonly atMs: number; readonly failure: unknown } | undefined;
  const fetchKeys = async () => {
    try {
      const answer = await client.get(url, { signal });
      keys = parseKeySet(readJSONAnswer(answer));
      fetched = { atMs: clock.monotonicMs(), failure: undefined };
      onFetch(answer.body);
    } catch (error) {
      fetched = { atMs: clock.monotonicMs(), failure: error };
      onFetch(undefined);
    }
  };
  const waitMs = () => (fetched === undefined ? 0 : fetched.atMs + minFetchIntervalMs - clock.monotonicMs());
  /** Everybody who asks before a fetch begins shares it. */
  const refresh = async (): Promise<void> => {
    underWay ??= sleep(clock, Math.max(0, waitMs()), signal)
      .then(fetchKeys)
      .finally(() => {
        underWay = undefined;
      });
    await underWay;
    if (fetched?.failure !== undefined) throw describeFailure(fetched.failure);
  };
  return {
    async verify(token, algorithms) {
      const header = readHeader(token, algorithms);
      const before = keys;
      if (await isSignedByOne(token, header, before)) return;
      // A key that was there a moment ago has not signed it: that is no reason to ask for others.
      if (waitMs() <= 0 || !before.some(({ id }) => id === header.keyId)) {
        await refresh();
        if (keys !== before && (await isSignedByOne(token, header, keys))) return;
      }
      throw new Error('failed to verify signature: failed to verify id token signature');
    },
  };
}

function describeFailure(error: unknown): Error {
  return new Error(
    `failed to verify signature: fetching keys oidc: get keys failed ${error instanceof Error ? error.message : String(error)}`,
  );
}

interface TokenHeader {
  readonly algorithm: string;
  /** '' where it names none. */
  readonly keyId: string;
}

/** Throws for algorithms that are not allowed, `none` and those with a shared secret among them. */
function readHeader(token: string, algorithms: readonly string[]): TokenHeader {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString('utf8'));
  } catch (error) {
    throw new Error(`oidc: malformed jwt: ${String(error)}`, { cause: error });
  }
  if (!isJSONObject(header)) throw new Error('oidc: malformed jwt: its header is not an object');
  const [algorithm, keyId] = [getOwn(header, 'alg'), getOwn(header, 'kid') ?? ''];
  if (typeof algorithm !== 'string' || !algorithms.includes(algorithm))
    throw new Error(
      `oidc: id token signed with unsupported algorithm, expected [${algorithms.map((one) => JSON.stringify(one)).join(' ')}] got ${JSON.stringify(algorithm ?? '')}`,
    );
  if (typeof keyId !== 'string') throw new Error('oidc: malformed jwt: kid is not a string');
  return { algorithm, keyId };
}

async function isSignedByOne(token: string, { algorithm, keyId }: TokenHeader, keys: readonly UsableKey[]): Promise<boolean> {
  const candidates = keys.filter(({ id, jwk }) => (keyId === '' || id === keyId) && fits(jwk, algorithm)).slice(0, maxKeysTried);
  const { compactVerify } = await import('jose');
  for (const { jwk } of candidates) {
    try {
      // Signatures are checked off the event loop.
      await compactVerify(token, jwk, { algorithms: [algorithm] });
      return true;
    } catch {
      // Another key has signed it, or this is not a valid key.
    }
  }
  return false;
}

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** Whether the key belongs to the algorithm: a public key is used with one family of algorithms only, whatever the token claims. */
function fits({ kty, crv }: JWK, algorithm: string): boolean {
  const curve = curves[algorithm];
  return curve === undefined ? kty === 'RSA' : kty === 'EC' && crv === curve;
}

/** The keys of a JSON Web Key Set that can verify something; others are left out. */
function parseKeySet(document: unknown): UsableKey[] {
  const list = isJSONObject(document) ? (getOwn(document, 'keys') ?? []) : undefined;
  if (!Array.isArray(list)) throw new Error('oidc: failed to decode keys: it is not a JSON Web Key Set');
  return list.flatMap((one: unknown): UsableKey[] => {
    if (!isJSONObject(one)) return [];
    const { kid = '', kty, n, e, crv, x, y } = one;
    if (typeof kid !== 'string') return [];
    if (kty === 'RSA' && typeof n === 'string' && typeof e === 'string') return [{ id: kid, jwk: { kty, n, e } }];
    if (kty === 'EC' && typeof crv === 'string' && typeof x === 'string' && typeof y === 'string')
      return [{ id: kid, jwk: { kty, crv, x, y } }];
    return [];
  });
}
