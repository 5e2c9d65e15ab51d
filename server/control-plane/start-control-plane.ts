import { availableParallelism } from 'node:os';
import os from 'node:os';
import { type LoopWatch, watchLoop } from '../../api/base/loop-watch.ts';
import type { Logger } from '../../api/base/logger.ts';
import { sleep } from '../../api/base/clock.ts';
import { createConnectable } from '../apiserver/request/connectable.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { mapWatched, type WatchedValue } from '../../api/base/watched-value.ts';
import type { APIRequest, APIResponse, Transport } from '../../api/client/transport.ts';
import type { NodeConfiguration, PodNetworkMode } from '../../api/semantics/nodes/node-configuration.ts';
import { decodeStored } from '../../api/serialization/protobuf/decode-stored.ts';
import type { AuditOptions } from '../apiserver/filters/audit.ts';
import type { PluginChoice } from '../apiserver/admission/choose-plugins.ts';
import type { AggregationOptions } from '../apiserver/aggregator/aggregator.ts';
import type { PluginConfigurations } from '../apiserver/admission/configure-plugins.ts';
import { type APIServer, type APIServerOptions, type APIServerParts, createAPIServer } from '../apiserver/api-server.ts';
import type { BootstrapOptions } from '../apiserver/bootstrap/bootstrap-cluster.ts';
import { createSecretTokenSigner } from '../apiserver/authentication/secret-tokens.ts';
import type { Component } from '../apiserver/subresources/subresource.ts';
import { addressAt, allAddresses, firstAddress, machineAddress } from './addresses.ts';
import type { AuthorizationSetup } from './open-authorization.ts';
import { createFrontProxy, type FrontProxy, type FrontProxySetup } from './open-front-proxy.ts';
import { createRequestHeaderTest } from '../apiserver/authentication/request-headers.ts';
import { type ServingSetup, withGivenCertificates } from './open-serving.ts';
import { reservedNames } from './reserved-names.ts';
import type { EncryptionChoice } from './store/encrypt-at-rest.ts';
import { createRunningPart } from './running-part.ts';
import { defaultTokens, type TokenSetup } from './authentication/plan-tokens.ts';
import type { OpenedAuthentication } from './authentication/open-authentication.ts';
import { createResources } from './create-resources.ts';
import { createLoopHolds } from './loop-holds.ts';
import type { LargeWork } from '../apiserver/registry/large-objects/large-work.ts';
import { conditionWork } from './admission-dependencies.ts';
import { createLargeWorkPool } from './large-work/large-work-pool.ts';
import { createOpenAPIDocuments } from './openapi-documents.ts';
import { maxRevisionsOf, openStorage, type StorageChoice } from './store/open-storage.ts';
import { openMetricsServer } from './metrics-api.ts';
import { createLivePKI, type LivePKI } from './live-pki.ts';
import { clientCAs, followPKI, serviceAccountKeys } from './follow-pki.ts';
import { dropInTime } from './drop-in-time.ts';
import { createPKIFiles } from './pki-files.ts';
import { kubernetesVersion } from './version.ts';
import { createControllers } from '../controllers/controllers.ts';
import type { Controller } from '../controllers/runtime/define-controller.ts';
import { selectControllers } from '../controllers/select-controllers.ts';
import { createCertificateAuthority } from '../pki/certificate-request.ts';
import type { ClusterPKI } from '../pki/ensure-cluster-pki.ts';
import { createDialer } from '../serving/dialer.ts';
import { createSecureDialer } from '../serving/secure-dialer.ts';
import { serve } from '../serving/serve.ts';
import type { Storage } from '../storage/storage.ts';
import { runCompactor } from '../storage/compactor.ts';
import { type CacheSource, createCacheSource } from '../storage/watch-cache/cache-source.ts';
import { createRunners } from './run-parts.ts';

export interface ControlPlaneOptions {
  readonly storage: StorageChoice;
  readonly storageDirectory: string;
  /** How values are encrypted in the store. Absent: they are not. */
  readonly encryption?: EncryptionChoice;
  readonly pkiDirectory: string;
  readonly bindAddress: string;
  /** 0: any free port. */
  readonly port: number;
  readonly advertiseAddress?: string;
  /** The ranges of cluster addresses of Services: one, or two of different families, the first being the default. */
  readonly serviceCIDRs: readonly [string, ...string[]];
  /** All Pods of the cluster; each node is given a part of it. */
  readonly clusterCIDR: string;
  readonly nodeCIDRMaskSize: number;
  /** The mask size of IPv6; absent: 64. */
  readonly nodeCIDRMaskSizeIPv6?: number;
  /** How nodes that join reach the Pods of others. */
  readonly podNetwork: PodNetworkMode;
  readonly clusterDomain: string;
  /** How long a node may be silent; absent: upstream's default. */
  readonly nodeMonitorGraceMs?: number;
  /** The controllers that run, in the syntax of kube-controller-manager's `--controllers`; absent: all. */
  readonly controllers?: readonly string[];
  /** Tokens of others, and who may come without any. Absent: no tokens of others, and everybody may. */
  readonly authentication?: OpenedAuthentication;
  /** Service account issuers, audiences and static tokens. Absent: the defaults. */
  readonly tokens?: TokenSetup;
  /** Absent: true. */
  readonly scheduler?: boolean;
  /**
   * Whether controllers and scheduler run only while this control plane holds their leases. Absent: where the storage can be
   * shared with other control planes.
   */
  readonly leaderElect?: boolean;
  /** Serves metrics.k8s.io from the kubelets' measurements, unless an APIService names another server. Absent: false. */
  readonly metricsAPI?: boolean;
  /** Volumes of directories on the nodes, with a default StorageClass. Absent: true. */
  readonly localStorage?: boolean;
  /** The authority of the certificates that kubelets serve with. Absent: they are not verified. */
  readonly kubeletCAPEM?: WatchedValue<string>;
  readonly limits?: ServerLimits;
  /** The audit's policy and backends. Absent: no audit. */
  readonly audit?: AuditOptions;
  /** The authorizers. Absent: Node, RBAC. */
  readonly authorization?: AuthorizationSetup;
  /** How the port is served. Absent: with the certificate that is made, and Go's settings. */
  readonly serving?: ServingSetup;
  /** Front proxies. Absent: the one whose keys are made. */
  readonly frontProxy?: FrontProxySetup;
  readonly admissionPlugins?: PluginChoice;
  /** Configurations of admission plugins. Absent: none. */
  readonly pluginConfigurations?: PluginConfigurations;
  readonly logger: Logger;
  /** Called with each step of the start, for a person to read. */
  readonly onProgress?: (step: string) => void;
}

/** Limits of the server, by flags of kube-apiserver; absent: upstream's defaults. */
export interface ServerLimits {
  readonly maxRequestsInflight?: number;
  readonly maxMutatingRequestsInflight?: number;
  readonly requestTimeoutMs?: number;
  readonly minRequestTimeoutSeconds?: number;
  /** The milliseconds for which the server continues to serve after its readiness has begun to fail. */
  readonly shutdownDelayMs?: number;
}

export interface ControlPlane {
  readonly transport: Transport;
  readonly pki: WatchedValue<ClusterPKI>;
  readonly address: string;
  readonly port: number;
  readonly clusterDNSAddress: string;
  /** Rejects if a part of the control plane has failed permanently. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** How long connections may take at the end, when all requests have been answered. */
const shutdownGraceMs = 5000;

/** Builds the whole control plane, starts its parts in order and resolves when it is ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { logger, onProgress = () => {} } = options;
  const clock = systemClock;
  const stores = await openStores(options);
  const { pki, address, frontProxy } = stores;
  onProgress(`storage (${options.storage.kind}) at revision ${stores.caches.revision() ?? 0}`);

  const network = await openNetwork(options, stores);
  const { endpoint, certificates } = network;
  const stopping = new AbortController();
  const clusterDNSAddress = addressAt(options.serviceCIDRs[0], 10);
  const known = controllersFor(options, pki, clusterDNSAddress);
  const parts = createParts(options, known);
  const work = openWork(logger);
  const server = createServer(options, { ...stores, ...network, ...work, controllers: known, components: parts.components });
  network.connect(server.transport);
  work.holds.countIn(server.metrics);
  options.authentication?.countIn(server.metrics);
  await server.start();
  const joining = joiningOf(options, pki, `${address}:${endpoint.port}`);
  followPKI(pki, { endpoint: certificates, client: server.client, joining, frontProxy, clock, logger }, stopping.signal);
  onProgress(`API server on https://${address}:${endpoint.port}`);

  const runningParts = await parts.run(server, work.loop, stopping.signal);
  const running = [...keepRunning(options, { stores, certificates, server }, stopping.signal), ...runningParts];
  onProgress(`${parts.controllers.length} controllers and ${parts.hasScheduler ? 'the' : 'no'} scheduler`);
  const failed = Promise.race([Promise.all(running).then(() => new Promise<never>(() => {})), rejectOnFailure(stores.storage)]);
  logFailure(failed, logger, stopping.signal);
  return {
    transport: server.transport,
    pki,
    address,
    port: endpoint.port,
    clusterDNSAddress,
    failed,
    async stop() {
      server.announceShutdown();
      await sleep(clock, options.limits?.shutdownDelayMs ?? 0);
      stopping.abort(new Error('the control plane is stopping'));
      await Promise.allSettled(running);
      const finished = server.close();
      await Promise.all([finished, endpoint.close(shutdownGraceMs, finished)]);
      network.close();
      await work.close();
      await Promise.all([options.audit?.backend.close(), options.authentication?.close()]);
      options.authorization?.close();
      await stores.close();
    },
  };
}

/** The store with its caches, and the certificates. */
async function openStores(options: ControlPlaneOptions) {
  const { logger } = options;
  const address = options.advertiseAddress ?? machineAddress();
  const opening = openStorage({
    ...(options.encryption ? { encryption: options.encryption } : {}),
    ...{ choice: options.storage, directory: options.storageDirectory, clock: systemClock, logger: logger.with({ part: 'storage' }) },
  });
  const [{ pki, run: runPKI }, storage] = await Promise.all([openPKI(options, address, opening), opening]);
  const caches = await openCaches(storage, logger);
  return {
    ...{ address, pki, runPKI, storage, caches, frontProxy: createFrontProxy(options.frontProxy, pki) },
    async close() {
      await caches.close();
      await storage.close();
    },
  };
}

type Stores = Awaited<ReturnType<typeof openStores>>;

/**
 * The port and the connections to nodes, webhooks and other API servers. The server publishes its port, so the port is opened
 * before the server is built.
 */
async function openNetwork(options: ControlPlaneOptions, { pki, address, frontProxy }: Stores) {
  const clock = systemClock;
  const transport = createConnectable<[APIRequest], APIResponse>('the API server');
  const endpoint = await openEndpoint(options, pki, frontProxy, transport.call);
  const isOwnEndpoint = (host: string, port: number) =>
    (port === endpoint.port && [address, ...allAddresses()].includes(host)) ||
    (port === 443 && options.serviceCIDRs.map(firstAddress).includes(host));
  const secureDialer = createSecureDialer({ clock });
  const kubeletClient = mapWatched(pki, (now) => now.kubeletClient);
  const dialer = createDialer({ clock, kubeletClient, isOwnEndpoint, ...kubeletCA(options) });
  return {
    ...{ endpoint, secureDialer, dialer, isOwnEndpoint },
    certificates: withGivenCertificates(endpoint, options.serving),
    connect: (target: Transport) => transport.connect(target),
    close() {
      for (const one of [dialer, secureDialer]) one.close();
    },
  };
}

type Network = Awaited<ReturnType<typeof openNetwork>>;

/** The threads for large objects, and the watch over this one. */
function openWork(logger: Logger) {
  const clock = systemClock;
  const largeWork = createLargeWorkPool({ clock, logger, threads: Math.max(2, Math.min(4, availableParallelism() - 1)) });
  const holds = createLoopHolds(clock, logger);
  const loop = watchLoop({ clock, onHold: (hold) => holds.record(hold) });
  return {
    ...{ largeWork, holds, loop },
    async close() {
      await largeWork.close();
      loop.stop();
    },
  };
}

/** Controllers and scheduler, as far as they run in this process, with their health. */
function createParts(options: ControlPlaneOptions, known: readonly Controller[]) {
  const controllers = selectControllers(known, options.controllers ?? ['*']);
  const hasScheduler = options.scheduler ?? true;
  const [controllerManager, scheduler] = [createRunningPart('controller-manager'), createRunningPart('scheduler')];
  return {
    ...{ controllers, hasScheduler },
    components: [...(controllers.length > 0 ? [controllerManager] : []), ...(hasScheduler ? [scheduler] : [])],
    async run(server: APIServer, loop: LoopWatch, signal: AbortSignal): Promise<Promise<void>[]> {
      const { runManager, runOwnScheduler } = await createRunners(options, server, controllers, loop);
      return [
        ...(controllers.length > 0 ? [controllerManager.follow(runManager(signal))] : []),
        ...(hasScheduler ? [scheduler.follow(runOwnScheduler(signal))] : []),
      ];
    },
  };
}

interface Kept {
  readonly stores: Stores;
  readonly certificates: Network['certificates'];
  readonly server: APIServer;
}

/** The upkeep of certificates, credentials, authorizers and the store, until the signal. */
function keepRunning(options: ControlPlaneOptions, { stores, certificates, server }: Kept, signal: AbortSignal): Promise<void>[] {
  const { logger, serving } = options;
  const clock = systemClock;
  const { storage, caches } = stores;
  return [
    stores.runPKI(signal),
    dropInTime({ files: createPKIFiles(options.pkiDirectory), client: server.client, clock, logger }, signal),
    followAuthorization(options, server, signal),
    ...(serving ? [serving.follow(() => certificates.refresh(), signal)] : []),
    runCompactor({
      ...{ storage, clock, logger, signal },
      onCompacted: (revision) => caches.forgetBefore(revision),
      ...maxRevisions(options.storage),
    }),
  ];
}

/** The listener, with the settings and certificates of the flags, or the certificate that was made. */
function openEndpoint(
  { bindAddress, port, serving, logger }: ControlPlaneOptions,
  pki: WatchedValue<ClusterPKI>,
  frontProxy: FrontProxy,
  transport: Transport,
) {
  return serve({
    ...{ transport, host: bindAddress, port, certificate: serving?.certificate() ?? pki.get().server },
    clientCAsPEM: clientCAs(pki.get(), frontProxy),
    ...(serving ? { tls: serving.tls, named: serving.named(), maxStreamsPerConnection: serving.maxStreamsPerConnection } : {}),
    ...(serving && serving.goawayChance > 0 ? { goaway: { chance: serving.goawayChance, random: systemRandom } } : {}),
    ...{ clock: systemClock, logger: logger.with({ part: 'serving' }) },
  });
}

async function openCaches(storage: Storage, logger: Logger): Promise<CacheSource> {
  const caches = createCacheSource({
    ...{ storage, prefix: '/registry/', clock: systemClock, logger: logger.with({ part: 'watch-cache' }) },
    decodeProtobuf: (value) => decodeStored(value),
  });
  await caches.ready();
  return caches;
}

async function followAuthorization({ authorization }: ControlPlaneOptions, server: APIServer, signal: AbortSignal): Promise<void> {
  await authorization?.follow({ metrics: server.metrics, replace: server.replaceAuthorizers }, signal);
}

/** The aggregator's way to others, as the front proxy that it is. */
function aggregationOf(
  { clientCertificate, followClientCertificate, routesToEndpoints, trust }: FrontProxy,
  rest: Pick<AggregationOptions, 'dialer' | 'isOwnEndpoint'>,
): AggregationOptions {
  return {
    ...rest,
    ...{ clientCertificate, routesToEndpoints, isIdentityHeader: createRequestHeaderTest(trust.headers) },
    ...(followClientCertificate ? { followClientCertificate } : {}),
  };
}

/** The certificates of the control plane, for all names and addresses that it is known by. */
function openPKI(options: ControlPlaneOptions, address: string, opening: Promise<Storage>): Promise<LivePKI> {
  const { logger } = options;
  const clock = systemClock;
  return createLivePKI({
    files: createPKIFiles(options.pkiDirectory),
    logger,
    clock,
    random: systemRandom,
    clusterDomain: options.clusterDomain,
    serviceAddresses: options.serviceCIDRs.map(firstAddress),
    hostNames: [os.hostname(), ...(options.serving?.extraNames.hostNames ?? [])],
    addresses: [...new Set([address, ...allAddresses(), ...(options.serving?.extraNames.addresses ?? [])])],
    // A store in the data directory is the cluster's own: the content of an etcd may be another's.
    holdsCluster: async () => options.storage.kind === 'embedded' && (await (await opening).currentRevision()) > 1,
  });
}

function kubeletCA({ kubeletCAPEM }: ControlPlaneOptions): Pick<ControlPlaneOptions, 'kubeletCAPEM'> {
  return kubeletCAPEM === undefined ? {} : { kubeletCAPEM };
}

interface ServerParts
  extends Pick<Stores, 'address' | 'pki' | 'storage' | 'caches' | 'frontProxy'>,
    Pick<Network, 'endpoint' | 'dialer' | 'secureDialer' | 'isOwnEndpoint'> {
  readonly loop: LoopWatch;
  readonly largeWork: LargeWork;
  /** All that this version has. */
  readonly controllers: readonly Controller[];
  readonly components: readonly Component[];
}

/** The servers of built-in and custom kinds, and of metrics.k8s.io. */
function groupServersOf(options: ControlPlaneOptions, server: ServerParts): APIServerOptions['groupServers'] {
  const { storage, caches, dialer, secureDialer, components, largeWork } = server;
  const { routesToEndpoints } = server.frontProxy;
  const { serviceCIDRs, admissionPlugins, pluginConfigurations } = options;
  const resources = {
    ...options.limits,
    ...(admissionPlugins ? { admissionPlugins } : {}),
    ...(pluginConfigurations ? { pluginConfigurations } : {}),
    ...{ storage, caches, serviceCIDRs, dialer, secureDialer, routesToEndpoints, components, largeWork },
  };
  return [
    (parts) => createResources(resources, parts),
    ...(options.metricsAPI ? [(parts: APIServerParts) => openMetricsServer(dialer, parts)] : []),
  ];
}

function controllersFor(options: ControlPlaneOptions, pki: WatchedValue<ClusterPKI>, clusterDNSAddress: string): readonly Controller[] {
  return createControllers({
    ...options,
    rootCA: mapWatched(pki, ({ clusterCA }) => clusterCA.certificatePEM),
    signSecretToken: createSecretTokenSigner(serviceAccountKeys(pki)),
    clusterDNSAddress,
    sharesStorage: options.storage.kind === 'etcd',
    certificates: {
      authority: createCertificateAuthority(
        mapWatched(pki, ({ clusterCA }) => clusterCA),
        { random: systemRandom },
      ),
      reservedNames: reservedNames(options, () => pki.get().server),
    },
  });
}

function createServer(options: ControlPlaneOptions, parts: ServerParts): APIServer {
  const { serviceCIDRs, logger, limits = {}, tokens = defaultTokens } = options;
  const { pki, address, endpoint, storage, frontProxy } = parts;
  const { port } = endpoint;
  return createAPIServer({
    clock: systemClock,
    random: systemRandom,
    logger: logger.with({ part: 'apiserver' }),
    version: {
      ...kubernetesVersion,
      gitCommit: 'unknown',
      gitTreeState: 'clean',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: process.version,
      compiler: 'v8',
      platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    },
    ...(options.audit ? { audit: options.audit } : {}),
    ...(options.authorization ? { authorizers: options.authorization.authorizers } : {}),
    groupServers: groupServersOf(options, parts),
    conditionWork: conditionWork(parts.largeWork),
    loop: parts.loop,
    authentication: {
      clientCAsPEM: mapWatched(pki, ({ clusterCA }) => [clusterCA.certificatePEM]).get,
      frontProxyCAsPEM: () => frontProxy.authoritiesPEM(),
      frontProxy: frontProxy.trust,
      serviceAccountKeys: serviceAccountKeys(pki),
      ...{ issuers: tokens.issuers, audiences: tokens.audiences, ...(tokens.fromFile ? { fileTokens: tokens.fromFile } : {}) },
      ...(options.authentication ? { remoteTokens: options.authentication.remoteTokens } : {}),
    },
    externalAddress: `${address}:${port}`,
    openAPI: createOpenAPIDocuments(),
    aggregation: aggregationOf(frontProxy, { dialer: parts.secureDialer, isOwnEndpoint: parts.isOwnEndpoint }),
    checkStorage: (signal) => storage.checkHealth(signal),
    storeBytes: async () => storage.sizeBytes?.(),
    ...limits,
    ...(options.authentication ? { anonymous: options.authentication.anonymous } : {}),
    bootstrap: {
      controllers: parts.controllers,
      serviceCIDRs,
      kubernetesServiceAddress: firstAddress(serviceCIDRs[0]),
      serving: { address, port },
      get clusterCAPEM() {
        return pki.get().clusterCA.certificatePEM;
      },
      get frontProxyCAPEM() {
        return frontProxy.published().frontProxyCAPEM;
      },
      frontProxy: frontProxy.published().frontProxy,
      joining: joiningOf(options, pki, `${address}:${port}`),
    },
  });
}

function joiningOf(options: ControlPlaneOptions, pki: WatchedValue<ClusterPKI>, serving: string): NonNullable<BootstrapOptions['joining']> {
  return {
    server: `https://${serving}`,
    nodeConfiguration: nodeConfigurationOf(options),
    get vouchersPEM() {
      return pki.get().vouchersPEM;
    },
  };
}

function nodeConfigurationOf({ clusterCIDR, serviceCIDRs, clusterDomain, podNetwork }: ControlPlaneOptions): NodeConfiguration {
  return { clusterCIDR, clusterDNS: addressAt(serviceCIDRs[0], 10), clusterDomain, podNetwork };
}

/** Logs the failure of a part; a part that ends because of the stop has not failed. */
function logFailure(failed: Promise<never>, logger: Logger, stopping: AbortSignal): void {
  failed.catch((error: unknown) => {
    if (!stopping.aborted) logger.error('a part of the control plane has failed', { error });
  });
}

async function rejectOnFailure({ failed }: Storage): Promise<never> {
  throw await (failed ?? new Promise<never>(() => {}));
}

function maxRevisions(choice: StorageChoice): { readonly maxRevisions?: number } {
  const limit = maxRevisionsOf(choice);
  return limit === undefined ? {} : { maxRevisions: limit };
}
