import type { Clock } from '../../api/base/clock.ts';
import { createConnectable } from './request/connectable.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { LoopWatch } from '../../api/base/loop-watch.ts';
import type { Random } from '../../api/base/random.ts';
import type { Client } from '../../api/client/client.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createInformerFactory } from '../../api/client/informers/informer-factory.ts';
import type { InformerFactory } from '../../api/client/informers/informer.ts';
import type { APIResponse, Transport } from '../../api/client/transport.ts';
import { withUser } from '../../api/client/with-user.ts';
import { statusOf } from '../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../api/resource/resource-definition.ts';
import { type AggregationOptions, type Aggregator, createAggregator } from './aggregator/aggregator.ts';
import { type AnonymousAccess, allowsAnonymous } from './authentication/anonymous.ts';
import type { TokenAuthenticator, TokenIssuer } from './authentication/authenticator.ts';
import { type AuthenticationOptions, createAuthentication } from './authentication/create-authentication.ts';
import type { ServiceAccountKeys } from './authentication/service-account-keys.ts';
import { loopbackUser } from './authentication/well-known.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import type { ConfiguredAuthorizer } from './authorization/authorizer-chain.ts';
import type { ConditionWork } from './authorization/match-conditions.ts';
import { type Authorization, createAuthorization, defaultAuthorizers } from './authorization/create-authorization.ts';
import type { EscalationGuard } from './authorization/escalation.ts';
import { bootstrapHooks, type BootstrapOptions, bootstrapCluster } from './bootstrap/bootstrap-cluster.ts';
import { defaultFlowSchemas, defaultPriorityLevels, isMandatory } from './bootstrap/flow-control.ts';
import { keepSystemObjects } from './bootstrap/keep-system-objects.ts';
import { nodeRules } from './bootstrap/cluster-roles.ts';
import { createDebugEndpoint } from './documents/debug.ts';
import { createDiscovery } from './documents/discovery.ts';
import { createHealth, type HealthCheck, type HealthEndpoint } from './documents/health.ts';
import { createStartHooks, type StartHookName, type StartHooks } from './documents/start-hooks.ts';
import { createServerMetrics, type ServerMetrics } from './documents/metrics.ts';
import { createNonResourceEndpoints } from './routing/non-resource.ts';
import { createOpenAPI, type OpenAPIDocuments } from './documents/openapi.ts';
import { createOpenIDDocuments } from './documents/openid.ts';
import type { VersionInfo } from './documents/version.ts';
import type { AuditOptions } from './filters/audit.ts';
import { type ChainDependencies, createHandlerChain } from './filters/chain.ts';
import { createContext } from './request/create-context.ts';
import { errorResponse } from './responses/error-response.ts';
import { onBodyEnd } from './filters/on-body-end.ts';
import { createShutdownGate, type ShutdownGate } from './filters/shutdown-gate.ts';
import { createStartGate, type StartGate } from './filters/start-gate.ts';
import { FlowControl } from './flowcontrol/flow-control.ts';
import { createFlowControlRunner, type FlowControlRunner } from './flowcontrol/run-flow-control.ts';
import { createWatchTracker, type WatchTracker } from './flowcontrol/watch-tracker.ts';
import type { MetricFamilies } from './metric-families.ts';
import type { Handler, RequestContext, RequestInfo } from './request/request-context.ts';
import type { GroupServer } from './routing/group-server.ts';
import { createServedGroups, type ServedGroups } from './routing/served-groups.ts';
import { parseQuery, parseRequestInfo } from './request/request-info.ts';

/** The parts of the server that its resources (registry, admission, subresources) may use. */
export interface APIServerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Acts as the API server itself, through the whole chain. */
  readonly client: Client;
  /** Informers over `client`; all that are asked for before start are waited for by readyz. */
  readonly informers: InformerFactory;
  readonly authorizer: Authorizer;
  readonly rules: Pick<Authorization, 'rulesFor'>;
  readonly escalation: EscalationGuard;
  readonly tokens: TokenAuthenticator;
  readonly tokenIssuer: TokenIssuer;
  readonly metrics: Pick<ServerMetrics, 'storeRequest' | 'admission' | 'webhooks'>;
}

export interface APIServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: VersionInfo;
  /** Makers of the group servers: the first one serves what no other serves. */
  readonly groupServers: readonly ((parts: APIServerParts) => GroupServer)[];
  readonly authentication: Omit<AuthenticationOptions, 'clock' | 'random' | 'client' | 'cacheMetrics'>;
  /** Absent: all requests without credentials are served as system:anonymous. */
  readonly anonymous?: AnonymousAccess;
  /** The authorizers, in this order, after the group system:masters. Absent: Node, RBAC. */
  readonly authorizers?: readonly ConfiguredAuthorizer[];
  /** Evaluates costly match conditions of authorization webhooks in another thread. */
  readonly conditionWork?: ConditionWork;
  /** Absent: nothing is audited. */
  readonly audit?: AuditOptions;
  /** host:port under which clients reach the server. */
  readonly externalAddress: string;
  readonly openAPI: OpenAPIDocuments;
  /** Absent: requests are passed on to no other API server, whatever APIServices say. */
  readonly aggregation?: AggregationOptions;
  /** Rejects if the store cannot be used. */
  checkStorage(signal: AbortSignal): Promise<void>;
  /** Bytes that the store takes up; absent or undefined where that is not known. */
  storeBytes?(): Promise<number | undefined>;
  /** Requests that read, executed at once: with `maxMutatingRequestsInflight`, the seats that there are. Default 400. */
  readonly maxRequestsInflight?: number;
  /** Default 200. */
  readonly maxMutatingRequestsInflight?: number;
  /** Default 60 s. */
  readonly requestTimeoutMs?: number;
  readonly bootstrap: BootstrapOptions;
  /** Told of each request whose work begins. */
  readonly loop?: Pick<LoopWatch, 'begins'>;
}

export interface APIServer {
  readonly transport: Transport;
  /** A client that acts as the API server itself. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly authorizer: Authorizer;
  /** Takes other authorizers without a restart. */
  readonly replaceAuthorizers: Authorization['replace'];
  /** The metrics of the process, which /metrics exposes. Other parts count in them too. */
  readonly metrics: MetricFamilies;
  addHealthCheck(check: HealthCheck): void;
  /** Fills the caches, creates the initial objects of a cluster, and resolves when the server is ready. */
  start(): Promise<void>;
  /** Announces the shutdown: /readyz fails, and all requests are still served. */
  announceShutdown(): void;
  /** Turns new requests away, ends watches, and resolves when all others are finished. */
  close(): Promise<void>;
}

/** The hooks that the server runs itself. */
const ownHooks: readonly StartHookName[] = ['generic-apiserver-start-informers', 'priority-and-fairness-config-consumer'];
const shutdownReason = 'the API server is shutting down';

/** The API server: a Transport. It opens no sockets and reads no files; serving and storage are given to it or put around it. */
export function createAPIServer(options: APIServerOptions): APIServer {
  const { clock, logger } = options;
  // The server is its own client: its own requests go through the handler chain.
  const chain = createConnectable<[RequestContext], APIResponse>('the API server');
  const transport = createTransport(options, chain.call);
  const groups = createServedGroups();
  const parts = createParts(options, groups, transport);
  const { client, informers, authorization, authentication, metrics, flows } = parts;
  for (const createGroupServer of options.groupServers) groups.add(createGroupServer(partsForGroups(options, parts)));
  const aggregator = openAggregator(options, { client, informers, metrics });
  if (aggregator) groups.add(aggregator);
  const health = createHealth(logger, metrics.health);
  const gate = createShutdownGate();
  const startGate = createStartGate();
  const nonResources = createDocuments(options, { groups, aggregator, health, metrics, keys: authentication.keys, flows });
  const filters = chainOf(options, groups, parts, gate);
  chain.connect(
    createHandlerChain(filters, (context) =>
      context.isDelegated || context.info.isResourceRequest ? groups.handle(context) : nonResources(context),
    ),
  );
  const hooks = createStartHooks([...ownHooks, ...bootstrapHooks, ...groups.startHooks()]);
  const lifecycle = createLifecycle({
    ...{ options, groups, informers, health, gate, startGate },
    flowControl: createFlowControlRunner({ flows, informers, client, clock, logger }),
    hooks: { checks: withRegistration(hooks.checks, aggregator), run: hooks.run },
    bootstrap: () => bootstrapCluster(options.bootstrap, { client, clock, listers: authorization.listers, runHook: hooks.run }),
    keep: (signal) => keepSystemObjects(options.bootstrap, { client, clock, logger }, signal),
  });
  return {
    transport: startGate.guard(transport),
    client,
    informers,
    authorizer: authorization.authorizer,
    replaceAuthorizers: (configured) => authorization.replace(configured),
    metrics: metrics.families,
    addHealthCheck: (check) => health.add(check),
    ...lifecycle,
  };
}

/** The parts that requests of all kinds pass through. */
interface SharedParts {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly metrics: ServerMetrics;
  readonly authorization: Authorization;
  readonly authentication: ReturnType<typeof createAuthentication>;
  readonly flows: FlowControl;
  readonly watches: WatchTracker;
}

function createParts(options: APIServerOptions, groups: ServedGroups, transport: Transport): SharedParts {
  const { clock, random, logger } = options;
  const client = createClient(withUser(transport, loopbackUser), { userAgent: 'kube-apiserver' });
  const informers = createInformerFactory({ client, clock, random, logger });
  const watches = createWatchTracker();
  const metrics = createMetrics(options, groups);
  const flows = createFlows(options, { metrics, watches, groups });
  metrics.observeFlows(flows);
  const authorization = createAuthorization(options.authorizers ?? defaultAuthorizers, {
    ...{ clock, random, logger, informers, nodeRules },
    metrics: metrics.authorization,
    conditionWork: options.conditionWork,
  });
  const authentication = createAuthentication({ ...options.authentication, clock, random, client, cacheMetrics: metrics.tokenCache });
  return { client, informers, metrics, authorization, authentication, flows, watches };
}

function partsForGroups(
  { clock, random, logger }: APIServerOptions,
  { client, informers, metrics, authorization, authentication }: SharedParts,
): APIServerParts {
  const { authorizer, escalation } = authorization;
  const { tokens, tokenIssuer } = authentication;
  return { clock, random, logger, client, informers, authorizer, rules: authorization, escalation, tokens, tokenIssuer, metrics };
}

function chainOf(
  options: APIServerOptions,
  groups: ServedGroups,
  { metrics, authorization, authentication, flows, watches }: SharedParts,
  gate: ShutdownGate,
): ChainDependencies {
  const { clock, random, logger } = options;
  return {
    ...{ clock, random, logger, gate },
    authenticator: authentication.authenticator,
    authorizer: authorization.authorizer,
    allowsAnonymous: allowsAnonymous(options.anonymous ?? { isEnabled: true }),
    flowControl: { flows, watches, inflight: metrics.inflight },
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    metrics: metrics.requests,
    access: metrics.access,
    ...watchersOf(options),
    findDefinition: groups.find,
    isDelegated: groups.isDelegated,
  };
}

interface DocumentParts {
  readonly groups: ServedGroups;
  readonly aggregator: Aggregator | undefined;
  readonly health: HealthEndpoint;
  readonly metrics: ServerMetrics;
  readonly keys: ServiceAccountKeys;
  readonly flows: FlowControl;
}

/** Discovery, OpenAPI, health and all else that is no resource. */
function createDocuments(options: APIServerOptions, { groups, aggregator, health, metrics, keys, flows }: DocumentParts): Handler {
  const { definitions, delegated } = groups;
  return createNonResourceEndpoints({
    ...{ health, metrics, version: options.version },
    discovery: createDiscovery({ definitions, delegated, serverAddress: options.externalAddress }),
    openAPI: createOpenAPI(groups.withOpenAPI(options.openAPI), aggregator),
    openID: createOpenIDDocuments(keys, options.authentication.issuers[0], options.externalAddress, (problem) =>
      options.logger.error(problem),
    ),
    debug: createDebugEndpoint(() => flows),
    groupPaths: () => [...groupPaths(definitions()), ...groupPaths(delegated())],
    healthPaths: () => health.paths(),
  });
}

/** The checks of the start hooks, and after that of the autoregistration the one that what it registers is available. */
function withRegistration(checks: readonly HealthCheck[], aggregator: Aggregator | undefined): readonly HealthCheck[] {
  if (!aggregator) return checks;
  const after = checks.findIndex(({ name }) => name === 'poststarthook/kube-apiserver-autoregistration') + 1;
  return checks.toSpliced(after, 0, aggregator.registrationCheck);
}

interface FlowParts {
  readonly metrics: ServerMetrics;
  readonly watches: WatchTracker;
  readonly groups: ServedGroups;
}

function createFlows(
  { clock, maxRequestsInflight = 400, maxMutatingRequestsInflight = 200 }: APIServerOptions,
  { metrics, watches, groups }: FlowParts,
): FlowControl {
  return new FlowControl({
    clock,
    serverSeats: maxRequestsInflight + maxMutatingRequestsInflight,
    metrics: metrics.flows,
    statistics: { stored: groups.statistics, interestedWatches: (info) => watches.interested(info) },
    mandatory: {
      levels: defaultPriorityLevels.filter(({ metadata }) => isMandatory(metadata.name ?? '')),
      flowSchemas: defaultFlowSchemas.filter(({ metadata }) => isMandatory(metadata.name ?? '')),
    },
  });
}

/** Makes the proxy to other API servers, if the options provide for it. */
function openAggregator(
  { aggregation, clock, random, logger }: APIServerOptions,
  { client, informers, metrics }: { readonly client: Client; readonly informers: InformerFactory; readonly metrics: ServerMetrics },
): Aggregator | undefined {
  if (!aggregation) return undefined;
  const own = { clock, random, client, informers, logger: logger.with({ part: 'aggregator' }), metrics: metrics.aggregator };
  return createAggregator({ ...aggregation, ...own });
}

function createMetrics(options: APIServerOptions, groups: ServedGroups): ServerMetrics {
  return createServerMetrics({
    clock: options.clock,
    version: options.version,
    isServed: (info) => isServed(groups.find(info), info),
    deprecation: ({ group: apiGroup, version: apiVersion, resource }) => deprecationOf(groups.find({ apiGroup, apiVersion, resource })),
    resources: groups.allStatistics,
    storeBytes: async () => options.storeBytes?.(),
  });
}

interface LifecycleDependencies {
  readonly groups: ServedGroups;
  readonly options: APIServerOptions;
  readonly informers: InformerFactory;
  readonly flowControl: FlowControlRunner;
  readonly health: HealthEndpoint;
  readonly hooks: StartHooks;
  readonly gate: ShutdownGate;
  readonly startGate: StartGate;
  bootstrap(): Promise<void>;
  /** Keeps the objects that bootstrap has made in existence, until the signal. */
  keep(signal: AbortSignal): Promise<unknown>;
}

function createLifecycle({
  options,
  groups,
  informers,
  flowControl,
  health,
  hooks,
  gate,
  startGate,
  bootstrap,
  keep,
}: LifecycleDependencies): Pick<APIServer, 'start' | 'announceShutdown' | 'close'> {
  const running = new AbortController();
  let informing: Promise<void> = Promise.resolve();
  let keeping: Promise<unknown> = Promise.resolve();
  let hasSynced = false;
  health.add({ name: 'etcd', check: (signal) => options.checkStorage(signal) });
  health.add({ name: 'etcd-readiness', check: (signal) => options.checkStorage(signal), only: 'readyz' });
  health.add({ name: 'informer-sync', check: () => assert(hasSynced, 'informers have not synced yet'), only: 'readyz' });
  for (const check of hooks.checks) health.add(check);
  health.add({ name: 'shutdown', check: () => assert(!gate.isShuttingDown, shutdownReason), only: 'readyz', isLast: true });
  return {
    async start() {
      await hooks.run('generic-apiserver-start-informers', async () => {
        informing = informers.run(running.signal);
        await informers.synced(running.signal);
        hasSynced = true;
      });
      await groups.start(running.signal, hooks.run);
      await bootstrap();
      startGate.open();
      await hooks.run('priority-and-fairness-config-consumer', () => {
        keeping = Promise.all([keep(running.signal), groups.run(running.signal, hooks.run), flowControl.run(running.signal)]);
      });
    },
    announceShutdown: () => gate.announce(),
    async close() {
      running.abort(new Error(shutdownReason));
      await Promise.all([gate.close(), informing.catch(() => {}), keeping]);
    },
  };
}

function createTransport({ clock, logger }: APIServerOptions, handle: Handler): Transport {
  return async (request) => {
    try {
      const query = parseQuery(request.query);
      const { context, release } = createContext(request, parseRequestInfo(request.method, request.path, query), query, clock);
      try {
        return onBodyEnd(await handle(context), release);
      } catch (error) {
        release();
        throw error;
      }
    } catch (error) {
      // Only failures outside of the chain's own error handling come here: a path that cannot be parsed, or a bug.
      const status = statusOf(error);
      if (status.code === 500) logger.error('request failed', { method: request.method, path: request.path, error });
      return errorResponse(status, request);
    }
  };
}

function assert(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

/** The observers of requests, where there are any. */
function watchersOf({ loop, audit }: APIServerOptions): Pick<ChainDependencies, 'loop' | 'audit'> {
  return { ...(loop ? { loop } : {}), ...(audit ? { audit } : {}) };
}

function isServed(definition: ResourceDefinition | undefined, { subresource }: RequestInfo): boolean {
  return definition !== undefined && (subresource === '' || Object.hasOwn(definition.subresources, subresource));
}

function deprecationOf(definition: ResourceDefinition | undefined): { readonly removedRelease: string } | undefined {
  // No served version has a release in which it is removed.
  return definition?.deprecationWarning === undefined ? undefined : { removedRelease: '' };
}

function groupPaths(versions: readonly Pick<ResourceDefinition, 'group' | 'version'>[]): string[] {
  return versions.flatMap(({ group, version }) => (group === '' ? [] : [`/apis/${group}`, `/apis/${group}/${version}`]));
}
