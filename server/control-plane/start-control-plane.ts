import { availableParallelism } from 'node:os';
import os from 'node:os';
import { type LoopWatch, watchLoop } from '../../api/base/loop-watch.ts';
import type { Logger } from '../../api/base/logger.ts';
import { sleep } from '../../api/base/clock.ts';
import { systemClock } from '../../api/base/system-clock.ts';
import { systemRandom } from '../../api/base/system-random.ts';
import { mapWatched, type WatchedValue } from '../../api/base/watched-value.ts';
import type { Transport } from '../../api/client/transport.ts';
import type { NodeConfiguration, PodNetworkMode } from '../../api/semantics/nodes/node-configuration.ts';
import { decodeStored } from '../../api/serialization/protobuf/decode-stored.ts';
import type { AuditOptions } from '../apiserver/filters/audit.ts';
import type { PluginChoice } from '../apiserver/admission/choose-plugins.ts';
import type { PluginConfigurations } from '../apiserver/admission/configure-plugins.ts';
import type { AggregationOptions } from '../apiserver/aggregator/aggregator.ts';
import { type APIServer, createAPIServer } from '../apiserver/api-server.ts';
import type { BootstrapOptions } from '../apiserver/bootstrap/bootstrap-cluster.ts';
import { createSecretTokenSigner } from '../apiserver/authentication/secret-tokens.ts';
import type { Dialer } from '../apiserver/subresources/subresource.ts';
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
import { addMetricsAPI } from './metrics-api.ts';
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
  const address = options.advertiseAddress ?? machineAddress();
  const opening = openStorage({
    ...(options.encryption ? { encryption: options.encryption } : {}),
    ...{ choice: options.storage, directory: options.storageDirectory, clock, logger: logger.with({ part: 'storage' }) },
  });
  const [{ pki, run: runPKI }, storage] = await Promise.all([openPKI(options, address, opening), opening]);
  const frontProxy = createFrontProxy(options.frontProxy, pki);
  const caches = await openCaches(storage, logger);
  onProgress(`storage (${options.storage.kind}) at revision ${caches.revision() ?? 0}`);

  const stopping = new AbortController();
  const clusterDNSAddress = addressAt(options.serviceCIDRs[0], 10);
  const known = controllersFor(options, pki, clusterDNSAddress);
  const controllers = selectControllers(known, options.controllers ?? ['*']);
  const hasScheduler = options.scheduler ?? true;
  const isOwnEndpoint = (host: string, port: number) =>
    (port === endpoint.port && [address, ...allAddresses()].includes(host)) ||
    (port === 443 && options.serviceCIDRs.map(firstAddress).includes(host));
  const kubeletClient = mapWatched(pki, (now) => now.kubeletClient);
  const secureDialer = createSecureDialer({ clock });
  const dialer = createDialer({ clock, kubeletClient, isOwnEndpoint, ...kubeletCA(options) });
  const [controllerManager, scheduler] = [createRunningPart('controller-manager'), createRunningPart('scheduler')];
  const components = [...(controllers.length > 0 ? [controllerManager] : []), ...(hasScheduler ? [scheduler] : [])];
  let transport: Transport = () => Promise.reject(new Error('the API server is not complete yet'));
  // The server publishes its port, so the port is opened before the server is built.
  const endpoint = await openEndpoint(options, pki, frontProxy, (request) => transport(request));
  const certificates = withGivenCertificates(endpoint, options.serving);
  const largeWork = createLargeWorkPool({ clock, logger, threads: Math.max(2, Math.min(4, availableParallelism() - 1)) });
  const holds = createLoopHolds(clock, logger);
  const loop = watchLoop({ clock, onHold: (hold) => holds.record(hold) });
  const server = createServer(options, {
    loop,
    pki,
    frontProxy,
    aggregation: aggregationOf(frontProxy, { dialer: secureDialer, isOwnEndpoint }),
    ...{ controllers: known, largeWork },
    address,
    port: endpoint.port,
    createResources: withMetrics(options, dialer, (parts) =>
      createResources(
        {
          ...options.limits,
          ...(options.admissionPlugins ? { admissionPlugins: options.admissionPlugins } : {}),
          ...(options.pluginConfigurations ? { pluginConfigurations: options.pluginConfigurations } : {}),
          storage,
          caches,
          serviceCIDRs: options.serviceCIDRs,
          ...{ dialer, secureDialer, routesToEndpoints: frontProxy.routesToEndpoints },
          components,
          largeWork,
        },
        parts,
      ),
    ),
    checkStorage: (signal) => storage.checkHealth(signal),
    storeBytes: async () => storage.sizeBytes?.(),
  });
  transport = server.transport;
  holds.countIn(server.metrics);
  options.authentication?.countIn(server.metrics);
  await server.start();
  const joining = joiningOf(options, pki, `${address}:${endpoint.port}`);
  followPKI(pki, { endpoint: certificates, client: server.client, joining, frontProxy, clock, logger }, stopping.signal);
  onProgress(`API server on https://${address}:${endpoint.port}`);

  const { runManager, runOwnScheduler } = await createRunners(options, server, controllers, loop);
  const running = [
    runPKI(stopping.signal),
    dropInTime({ files: createPKIFiles(options.pkiDirectory), client: server.client, clock, logger }, stopping.signal),
    followAuthorization(options, server, stopping.signal),
    ...(options.serving ? [options.serving.follow(() => certificates.refresh(), stopping.signal)] : []),
    ...(controllers.length > 0 ? [controllerManager.follow(runManager(stopping.signal))] : []),
    ...(hasScheduler ? [scheduler.follow(runOwnScheduler(stopping.signal))] : []),
    runCompactor({
      storage,
      clock,
      logger,
      signal: stopping.signal,
      onCompacted: (revision) => caches.forgetBefore(revision),
      ...maxRevisions(options.storage),
    }),
  ];
  onProgress(`${controllers.length} controllers and ${hasScheduler ? 'the' : 'no'} scheduler`);
  const failed = Promise.race([Promise.all(running).then(() => new Promise<never>(() => {})), rejectOnFailure(storage)]);
  logFailure(failed, logger, stopping.signal);
  return {
    transport,
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
      for (const one of [dialer, secureDialer]) one.close();
      await largeWork.close();
      loop.stop();
      await Promise.all([options.audit?.backend.close(), options.authentication?.close()]);
      options.authorization?.close();
      await caches.close();
      await storage.close();
    },
  };
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

type CreateResources = Parameters<typeof createAPIServer>[0]['createResources'];

function withMetrics({ metricsAPI = false }: ControlPlaneOptions, dialer: Dialer, create: CreateResources): CreateResources {
  return metricsAPI ? (parts) => addMetricsAPI(create(parts), { dialer }, parts) : create;
}

interface ServerParts {
  readonly frontProxy: FrontProxy;
  readonly loop: LoopWatch;
  readonly aggregation: AggregationOptions;
  readonly pki: WatchedValue<ClusterPKI>;
  readonly controllers: readonly Controller[];
  readonly largeWork: LargeWork;
  readonly address: string;
  readonly port: number;
  readonly createResources: CreateResources;
  checkStorage(signal: AbortSignal): Promise<void>;
  storeBytes(): Promise<number | undefined>;
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
  const { pki, address, port, frontProxy } = parts;
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
    createResources: parts.createResources,
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
    aggregation: parts.aggregation,
    checkStorage: parts.checkStorage,
    storeBytes: parts.storeBytes,
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

/** A store that cannot be written to any more has to be opened anew, by another process. */
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
