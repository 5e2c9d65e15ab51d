import { silentLogger } from '../../../api/base/logger.ts';
import type { Clock } from '../../../api/base/clock.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { decodeStored } from '../../../api/serialization/protobuf/decode-stored.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { makeAuthority, makeSigningKey } from '../../pki/make-certificate.ts';
import type { KeyPairPEM } from '../../pki/certificate-spec.ts';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import type { EventLogLimits } from '../../storage/watch-cache/event-log.ts';
import { type CacheSource, createCacheSource } from '../../storage/watch-cache/cache-source.ts';
import type { BootstrapOptions } from '../bootstrap/bootstrap-cluster.ts';
import type { Storage } from '../../storage/storage.ts';
import { defaultFrontProxyTrust } from '../authentication/request-headers.ts';
import { readServiceAccountKeys } from '../authentication/service-account-keys.ts';
import { type APIServer, type APIServerOptions, type APIServerParts, createAPIServer } from '../api-server.ts';
import type { GroupServer } from '../routing/group-server.ts';
import { createCustomKinds, customKindHooks } from '../extensions/custom-kinds.ts';
import { createResourceEndpoints } from '../routing/dispatch.ts';
import { subresourceHandlers } from '../subresources/handlers.ts';
import { measureStorage } from '../metrics/measure-storage.ts';
import { createResourceCatalog } from '../served/resource-catalog.ts';
import { createStoredResources } from '../served/stored-caches.ts';

export interface TestAPIServer extends APIServer {
  readonly clusterCA: KeyPairPEM;
  readonly frontProxyCA: KeyPairPEM;
  readonly storage: Storage;
  /** Signs tokens of service accounts. */
  readonly serviceAccountKeyPEM: string;
  /** Closes the server but not the store, which can still be read. */
  closeServer(): Promise<void>;
  /** Forgets the past of the store before that revision, as the compactor does. */
  compact(revision: number): Promise<void>;
}

export interface TestAPIServerOptions {
  /** Default: a memory store. A given store is not closed. */
  readonly storage?: Storage;
  /** Between the server and those who use its transport. */
  readonly wrapTransport?: (transport: Transport) => Transport;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How much of the past the caches hold. */
  readonly logLimits?: Partial<EventLogLimits>;
  /** The controllers whose roles are made. */
  readonly controllers?: BootstrapOptions['controllers'];
  readonly overrides?: Partial<APIServerOptions>;
  /** Default: all built-in resources, without admission, allocation and special subresources. */
  readonly createResources?: (parts: APIServerParts, storage: Storage, caches: CacheSource) => GroupServer;
  /** Further group servers. Default: none. */
  readonly moreGroupServers?: APIServerOptions['groupServers'];
}

const issuer = 'https://kubernetes.default.svc.cluster.local';

/** A whole API server over a store in memory, started: for tests, without sockets. */
export async function startAPIServerInProcess({
  storage: given,
  wrapTransport = (transport) => transport,
  clock = systemClock,
  random = systemRandom,
  logLimits,
  controllers = [],
  overrides = {},
  createResources = createTestResources,
  moreGroupServers = [],
}: TestAPIServerOptions = {}): Promise<TestAPIServer> {
  const making = { clock, random };
  const [clusterCA, frontProxyCA, signingKey] = await Promise.all([
    makeAuthority('kubernetes', making),
    makeAuthority('front-proxy-ca', making),
    makeSigningKey(),
  ]);
  const logger = overrides.logger ?? silentLogger;
  const storage = given ?? createMemoryStorage({ clock });
  const caches = createCacheSource({
    storage,
    prefix: '/registry/',
    clock,
    logger,
    decodeProtobuf: (value) => decodeStored(value),
    ...(logLimits ? { logLimits } : {}),
  });
  await caches.ready();
  const server = createAPIServer({
    clock,
    random,
    logger,
    version: {
      major: '1',
      minor: '36',
      gitVersion: 'v1.36.0+kubets',
      gitCommit: '',
      gitTreeState: 'clean',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: 'node',
      compiler: 'v8',
      platform: 'linux/amd64',
    },
    groupServers: [(parts) => createResources(parts, storage, caches), ...moreGroupServers],
    checkStorage: (signal) => storage.checkHealth(signal),
    authentication: {
      clientCAsPEM: [clusterCA.certificatePEM],
      frontProxyCAsPEM: [frontProxyCA.certificatePEM],
      frontProxy: defaultFrontProxyTrust,
      serviceAccountKeys: readServiceAccountKeys(signingKey.privateKeyPEM),
      issuers: [issuer],
      audiences: [issuer],
    },
    externalAddress: '192.0.2.1:6443',
    openAPI: { list: async () => [], read: () => Promise.reject(new Error('there are no documents')) },
    bootstrap: {
      serviceCIDRs: ['10.96.0.0/12'],
      kubernetesServiceAddress: '10.96.0.1',
      serving: { address: '192.0.2.1', port: 6443 },
      clusterCAPEM: clusterCA.certificatePEM,
      frontProxyCAPEM: frontProxyCA.certificatePEM,
      controllers,
    },
    ...overrides,
  });
  await server.start();
  return {
    ...server,
    transport: wrapTransport(server.transport),
    clusterCA,
    frontProxyCA,
    storage,
    serviceAccountKeyPEM: signingKey.privateKeyPEM,
    closeServer: () => server.close(),
    async compact(revision) {
      await storage.compact(revision);
      caches.forgetBefore(revision);
    },
    async close() {
      await server.close();
      await caches.close();
      if (!given) await storage.close();
    },
  };
}

/** All built-in resources and custom kinds, without admission, allocation and special subresources. */
export function createTestResources(parts: APIServerParts, storage: Storage, caches: CacheSource): GroupServer {
  const { clock, random, client, authorizer, tokenIssuer, tokens } = parts;
  const served = createResourceCatalog(catalog);
  const endpoints = createResourceEndpoints({
    catalog: served,
    registry: {
      storage: measureStorage(storage, served, parts.metrics, clock),
      caches,
      clock,
      random,
      admission: { async mutate() {}, async validate() {} },
      hooksFor: () => undefined,
    },
    random,
    subresourceHandlers,
    subresources: {
      client,
      clock,
      random,
      authorizer,
      rules: parts.rules,
      tokenIssuer,
      tokenAuthenticator: tokens,
      dialer: { send: () => Promise.reject(new Error('there is no network')) },
      components: [],
    },
  });
  const kinds = createCustomKinds({ catalog: served, client, clock, logger: parts.logger, ...endpoints });
  const stored = createStoredResources(served, (definition) => endpoints.storeFor(definition).cache);
  return {
    serves: ({ isResourceRequest }) => isResourceRequest,
    handle: endpoints.createHandler(kinds.catchUp),
    async run() {
      await kinds.ended();
    },
    startHooks: customKindHooks,
    start: (signal, runHook) => kinds.start(signal, runHook),
    definitions: () => served.snapshot.definitions,
    stored: () => stored.names(),
    statistics: (resource) => stored.statistics(resource),
  };
}
