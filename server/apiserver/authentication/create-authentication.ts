import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { findTime } from '../../../api/meta/time.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { secrets } from '../../../api/resources/core/v1/secret.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import type { Authenticator, TokenAuthenticator, TokenIssuer } from './authenticator.ts';
import { bearerTokenAuthenticator } from './bearer-token.ts';
import { bootstrapTokenAuthenticator } from './bootstrap-token.ts';
import { clientCertificateAuthenticator, createCertificateVerifier } from './client-certificate.ts';
import { frontProxyAuthenticator } from './front-proxy.ts';
import { readServiceAccountKeys, type ServiceAccountKeys } from './service-account-keys.ts';
import { createTokenIssuer } from './service-account-token-issuer.ts';
import { type BoundObjects, serviceAccountTokenAuthenticator } from './service-account-token.ts';
import { cachedTokenAuthenticator, unionAuthenticator, unionTokenAuthenticator } from './union.ts';

export interface AuthenticationOptions {
  readonly clientCAsPEM: readonly string[];
  readonly frontProxyCAPEM: string;
  readonly frontProxyNames: readonly string[];
  readonly serviceAccountPrivateKeyPEM: string;
  readonly olderServiceAccountPublicKeysPEM?: readonly string[];
  /** e.g. https://kubernetes.default.svc.cluster.local */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  /** Reads, as the API server itself, what tokens are bound to. */
  readonly client: Client;
}

export interface Authentication {
  readonly authenticator: Authenticator;
  readonly tokens: TokenAuthenticator;
  readonly tokenIssuer: TokenIssuer;
  readonly keys: ServiceAccountKeys;
}

/** All ways to say who one is: front proxy, client certificate, service account token, bootstrap token. */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { clock, audiences, issuer, client } = options;
  const keys = readServiceAccountKeys(options.serviceAccountPrivateKeyPEM, options.olderServiceAccountPublicKeysPEM);
  const tokens = cachedTokenAuthenticator(
    unionTokenAuthenticator([
      serviceAccountTokenAuthenticator({ keys, issuer, audiences, objects: boundObjects(client), clock }),
      bootstrapTokenAuthenticator({ findSecret: (name) => findSecret(client, name), audiences, clock }),
    ]),
    clock,
  );
  const authenticator = unionAuthenticator([
    frontProxyAuthenticator(createCertificateVerifier([options.frontProxyCAPEM], clock), options.frontProxyNames),
    clientCertificateAuthenticator(createCertificateVerifier(options.clientCAsPEM, clock)),
    bearerTokenAuthenticator(tokens),
  ]);
  return { authenticator, tokens, keys, tokenIssuer: createTokenIssuer({ keys, issuer, audiences, clock, random: options.random }) };
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

async function findSecret(client: Client, name: string) {
  const secret = await ignoreNotFound(client(secrets).get({ namespace: 'kube-system', name }));
  if (!secret) return undefined;
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(secret.data ?? {})) data[key] = Buffer.from(value, 'base64').toString('utf8');
  return { type: secret.type ?? '', isDeleted: secret.metadata.deletionTimestamp !== undefined, data };
}
