import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import { services as serviceDefinition } from '../../../api/resources/core/v1/service.ts';
import { endpointSlices } from '../../../api/resources/discovery/v1/endpoint-slice.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import type { AggregatorMetrics } from '../metrics/aggregator-metrics.ts';
import type { Handler, RequestContext } from '../request/request-context.ts';
import { notFoundPage } from '../routing/non-resource.ts';
import type { GroupServer } from '../routing/group-server.ts';
import type { SecureDialer, TLSSettings } from '../services/secure-dialer.ts';
import { createServiceCaller } from '../services/service-caller.ts';
import type { HealthCheck } from '../documents/health.ts';
import type { RunStartHook, StartHookName } from '../documents/start-hooks.ts';
import { withAggregatedOpenAPI } from './aggregated-openapi.ts';
import { keepAvailability } from './availability-controller.ts';
import { createDelegations, type Delegations } from './delegations.ts';
import { passOn, type ProxyDependencies } from './proxy.ts';
import { registerCustom } from './register-custom.ts';
import { createRegistrationCheck } from './registration-check.ts';
import { createRemoteDocuments, type RemoteDocuments } from './remote-documents.ts';

/** The parts of the aggregator that come from outside the API server. */
export interface AggregationOptions {
  readonly dialer: SecureDialer;
  /** How the server proves to others that it may say who its users are: the front proxy's certificate. */
  clientCertificate(): NonNullable<TLSSettings['clientCertificate']>;
  /** Takes over other content of the certificate's files, until the signal. Absent: the certificate is from no files. */
  followClientCertificate?(signal: AbortSignal): Promise<void>;
  /** Whether an address and port are the server's own. */
  isOwnEndpoint(host: string, port: number): boolean;
  /** Whether requests go to the endpoints of Services, and not to their ClusterIPs. Default true. */
  readonly routesToEndpoints?: boolean;
  /** Tells, besides X-Remote-*, the headers by which this server names users: those of clients are not passed on. Default: none. */
  isIdentityHeader?(name: string): boolean;
}

interface AggregatorDependencies extends AggregationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Acts as the API server itself. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly metrics: AggregatorMetrics;
}

/**
 * Proxies requests for APIs of other API servers of the cluster (APIServices with a Service), and merges their discovery and OpenAPI into
 * this server's.
 */
export interface Aggregator extends GroupServer {
  /** Paths below /openapi/v3/ that others answer, with their URLs. */
  openAPIPaths(): ReadonlyMap<string, string>;
  /** Passes a request of such a path on. */
  openAPI(context: RequestContext, path: string): ReturnType<Handler>;
  /** Fails until each APIService of a built-in group version was seen to be available. */
  readonly registrationCheck: HealthCheck;
}

const noDefinitions: readonly ResourceDefinition[] = [];

const startHooks = [
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'apiservice-openapi-controller',
  'apiservice-openapiv3-controller',
] as const satisfies readonly StartHookName[];

export function createAggregator(dependencies: AggregatorDependencies): Aggregator {
  const { informers, dialer, random, logger } = dependencies;
  const delegations = createDelegations(informers.informer(apiServices).lister);
  const { routesToEndpoints = true, isIdentityHeader = () => false } = dependencies;
  const services = createServiceCaller({ informers, dialer, random, routesToEndpoints });
  const proxy: ProxyDependencies = {
    ...{ services, clock: dependencies.clock, isIdentityHeader },
    clientCertificate: () => dependencies.clientCertificate(),
    isOwnEndpoint: (host, port) => dependencies.isOwnEndpoint(host, port),
  };
  const documents = createRemoteDocuments({ ...proxy, delegations, informers, logger });
  return {
    serves: (info) => delegations.find(info) !== undefined,
    definitions: () => noDefinitions,
    async handle(context) {
      const found = delegations.find(context.info);
      return found ? passOn(context, found, proxy) : notFoundPage();
    },
    delegated: () => documents.versions(),
    withOpenAPI: (own) => withAggregatedOpenAPI(own, () => documents.swagger()),
    openAPIPaths: () => documents.openAPIPaths(),
    async openAPI(context, path) {
      const found = delegations.list().find(({ spec }) => path === `apis/${spec.group}/${spec.version}`);
      return found ? passOn(context, found, proxy) : notFoundPage();
    },
    startHooks: dependencies.followClientCertificate ? [...startHooks, 'aggregator-reload-proxy-client-cert'] : startHooks,
    registrationCheck: createRegistrationCheck(informers.informer(apiServices)),
    run: (signal, runHook) => runParts({ ...dependencies, ...proxy, delegations, documents }, signal, runHook),
  };
}

interface Parts extends Omit<AggregatorDependencies, keyof ProxyDependencies>, ProxyDependencies {
  readonly delegations: Delegations;
  readonly documents: RemoteDocuments;
}

/** Runs what keeps the APIServices and asks their servers. A server that does not answer holds up its own hook alone. */
async function runParts(parts: Parts, signal: AbortSignal, runHook: RunStartHook): Promise<void> {
  const { informers, delegations, documents } = parts;
  const running: Promise<void>[] = [registerCustom(parts, signal)];
  const starting = (work: Promise<void>) => void running.push(work);
  const { followClientCertificate } = parts;
  if (followClientCertificate) await runHook('aggregator-reload-proxy-client-cert', () => starting(followClientCertificate(signal)));
  await runHook('start-kube-aggregator-informers', () => syncInformers(informers, signal));
  await runHook('apiservice-registration-controller', () => void delegations.list());
  await runHook('apiservice-status-local-available-controller', () => starting(keepAvailability('local', parts, signal)));
  await runHook('apiservice-status-remote-available-controller', () => starting(keepAvailability('remote', parts, signal)));
  const discovered = new Promise<void>((resolve) => starting(documents.run('discovery', signal, resolve).finally(resolve)));
  starting(runHook('apiservice-discovery-controller', () => discovered));
  await runHook('apiservice-openapi-controller', () => starting(documents.run('openapi-v2', signal, () => undefined)));
  await runHook('apiservice-openapiv3-controller', () => starting(documents.run('openapi-v3', signal, () => undefined)));
  await Promise.all(running);
}

/** Resolves when the informers have synced, or the signal is aborted. */
async function syncInformers(informers: InformerFactory, signal: AbortSignal): Promise<void> {
  const synced = Promise.all([
    informers.informer(apiServices).synced(signal),
    informers.informer(customResourceDefinitions).synced(signal),
    informers.informer(serviceDefinition).synced(signal),
    informers.informer(endpointSlices).synced(signal),
  ]);
  await synced.catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
