import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { findTime, formatTime } from '../../../api/meta/time.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { secretTypes } from '../../../api/semantics/secrets/secrets.ts';
import { invalidSinceLabel, lastUsedLabel } from '../../../api/semantics/secrets/service-account-tokens.ts';
import type { Authenticator, TokenAuthenticator, TokenIssuer } from './authenticator.ts';
import { bearerTokenAuthenticator } from './bearer-token.ts';
import { bootstrapTokenAuthenticator } from './bootstrap-token.ts';
import { type Authorities, clientCertificateAuthenticator, createCertificateVerifier } from './client-certificate.ts';
import { frontProxyAuthenticator } from './front-proxy.ts';
import type { FrontProxyTrust } from './request-headers.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import { secretTokenAuthenticator, type SecretTokenOptions } from './secret-tokens.ts';
import { createTokenIssuer } from './service-account-token-issuer.ts';
import { type BoundObjects, serviceAccountTokenAuthenticator } from './service-account-token.ts';
import { cachedTokenAuthenticator, type TokenCacheMetrics } from './token-cache.ts';
import { unionAuthenticator, unionTokenAuthenticator } from './union.ts';

export interface AuthenticationOptions {
  readonly clientCAsPEM: Authorities;
  readonly frontProxyCAsPEM: Authorities;
  readonly frontProxy: FrontProxyTrust;
  readonly serviceAccountKeys: ServiceAccountKeys;
  /** Issuers of service account tokens, e.g. https://kubernetes.default.svc.cluster.local: the first signs, all are accepted. */
  readonly issuers: readonly [string, ...string[]];
  readonly audiences: readonly string[];
  /** Tokens that are written in a file: asked first. Absent: there are none. */
  readonly fileTokens?: TokenAuthenticator;
  /** Of tokens that others have made: asked last, in this order. Absent: there are none. */
  readonly remoteTokens?: readonly TokenAuthenticator[];
  readonly cacheMetrics?: TokenCacheMetrics;
  readonly clock: Clock;
  readonly random: Random;
  /** Reads the objects that tokens are bound to, as the API server itself. */
  readonly client: Client;
}

interface Authentication {
  readonly authenticator: Authenticator;
  readonly tokens: TokenAuthenticator;
  readonly tokenIssuer: TokenIssuer;
  readonly keys: ServiceAccountKeys;
}

/** The time for which a token that was found valid stays valid, whatever happens to it; the same as upstream's. */
const tokenTTLMs = 10_000;

/** The authenticator of all methods: front proxy, client certificate, service account tokens, bootstrap tokens and others. */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { clock, audiences, issuers, client } = options;
  const keys = options.serviceAccountKeys;
  const tokens = cachedTokenAuthenticator(
    unionTokenAuthenticator([
      ...(options.fileTokens ? [options.fileTokens] : []),
      serviceAccountTokenAuthenticator({ keys, issuers, audiences, objects: boundObjects(client), clock }),
      secretTokenAuthenticator({ keys, audiences, ...secretTokens(client, clock) }),
      bootstrapTokenAuthenticator({ findSecret: (name) => findSecret(client, name), audiences, clock }),
      ...(options.remoteTokens ?? []),
    ]),
    { clock, successTTLMs: tokenTTLMs, failureTTLMs: 0, ...(options.cacheMetrics ? { metrics: options.cacheMetrics } : {}) },
  );
  const authenticator = unionAuthenticator([
    frontProxyAuthenticator(createCertificateVerifier(options.frontProxyCAsPEM, clock), options.frontProxy),
    clientCertificateAuthenticator(createCertificateVerifier(options.clientCAsPEM, clock)),
    bearerTokenAuthenticator(tokens),
  ]);
  const tokenIssuer = createTokenIssuer({ keys, issuer: issuers[0], audiences, clock, random: options.random });
  return { authenticator, tokens, keys, tokenIssuer };
}

function boundObjects(client: Client): BoundObjects {
  const find = async <T extends KubeObject>(
    resource: ResourceDefinition<T>,
    key: { readonly namespace: string; readonly name: string },
  ) => {
    const object = await ignoreNotFound(client(resource).get(key));
    return object && { uid: object.metadata.uid ?? '', deletionMs: findTime(object.metadata.deletionTimestamp) };
  };
  return {
    find(kind, key) {
      switch (kind) {
        case 'ServiceAccount':
          return find(serviceAccounts, key);
        case 'Pod':
          return find(pods, key);
        case 'Secret':
          return find(secrets, key);
        case 'Node':
          return find(nodes, key);
      }
    },
  };
}

function secretTokens(client: Client, clock: Clock): Pick<SecretTokenOptions, 'findSecret' | 'findAccount' | 'noteUse'> {
  const lastUsed = new LRUCache<string, string>({ max: 4096 });
  return {
    async findSecret(key) {
      const secret = await ignoreNotFound(client(secrets).get(key));
      if (secret?.type !== secretTypes.serviceAccountToken) return undefined;
      const { labels, deletionTimestamp } = secret.metadata;
      const day = labels?.[lastUsedLabel];
      if (day !== undefined) lastUsed.set(`${key.namespace}/${key.name}`, day);
      return {
        token: Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8'),
        isDeleted: deletionTimestamp !== undefined,
        isInvalidated: labels?.[invalidSinceLabel] !== undefined,
      };
    },
    async findAccount(key) {
      const account = await ignoreNotFound(client(serviceAccounts).get(key));
      const { uid, deletionTimestamp } = account?.metadata ?? {};
      if (uid === undefined || deletionTimestamp !== undefined) return undefined;
      return { uid, secrets: account?.secrets?.map(({ name = '' }) => name) ?? [] };
    },
    noteUse(key) {
      const [id, today] = [`${key.namespace}/${key.name}`, formatTime(clock.nowMs()).slice(0, 10)];
      if (lastUsed.get(id) === today) return;
      lastUsed.set(id, today);
      const body = { metadata: { labels: { [lastUsedLabel]: today } } };
      // The request with the token does not wait for it, nor is refused if it fails: tomorrow's use is noted again.
      client(secrets)
        .patch(key, { type: 'merge', body })
        .catch(() => {});
    },
  };
}

async function findSecret(client: Client, name: string) {
  const secret = await ignoreNotFound(client(secrets).get({ namespace: 'kube-system', name }));
  if (!secret) return undefined;
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(secret.data ?? {})) data[key] = Buffer.from(value, 'base64').toString('utf8');
  return { type: secret.type ?? '', isDeleted: secret.metadata.deletionTimestamp !== undefined, data };
}
