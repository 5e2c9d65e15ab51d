import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { Client } from '../../../api/client/client.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import type { AggregatorMetrics } from '../metrics/aggregator-metrics.ts';
import type { Handler, RequestContext, RequestInfo } from '../request/request-context.ts';
import { notFoundPage } from '../routing/non-resource.ts';
import type { DelegatedVersion } from '../served/delegated-version.ts';
import type { SecureDialer, TLSSettings } from '../services/secure-dialer.ts';
import { createServiceCaller } from '../services/service-caller.ts';
import type { OpenAPIDocuments } from '../documents/openapi.ts';
import { withAggregatedOpenAPI } from './aggregated-openapi.ts';
import { keepAvailability } from './availability-controller.ts';
import { createDelegations } from './delegations.ts';
import { passOn, type ProxyDependencies } from './proxy.ts';
import { registerCustom } from './register-custom.ts';
import { createRemoteDocuments } from './remote-documents.ts';

/** The parts of the aggregator that come from outside the API server. */
export interface AggregationOptions {
  readonly dialer: SecureDialer;
  /** How the server proves to others that it may say who its users are: the front proxy's certificate. */
  clientCertificate(): NonNullable<TLSSettings['clientCertificate']>;
  /** Whether an address and port are the server's own. */
  isOwnEndpoint(host: string, port: number): boolean;
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

/** Passes on what other API servers of the cluster serve (APIServices with a Service), and shows it as part of this one. */
export interface Aggregator {
  /** Whether a request is for another API server. */
  isDelegated(info: RequestInfo): boolean;
  readonly handle: Handler;
  /** Another array means that something has changed. */
  versions(): readonly DelegatedVersion[];
  /** The server's own OpenAPI v2 document with those of others in it. */
  withOpenAPI(documents: OpenAPIDocuments): OpenAPIDocuments;
  /** Paths below /openapi/v3/ that others answer, with their URLs. */
  openAPIPaths(): ReadonlyMap<string, string>;
  /** Passes a request of such a path on. */
  openAPI(context: RequestContext, path: string): ReturnType<Handler>;
  /** Keeps the APIServices. Ends with the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export function createAggregator(dependencies: AggregatorDependencies): Aggregator {
  const { informers, dialer, random, logger } = dependencies;
  const delegations = createDelegations(informers.informer(apiServices).lister);
  const services = createServiceCaller({ informers, dialer, random });
  const proxy: ProxyDependencies = {
    ...{ services, clock: dependencies.clock },
    clientCertificate: () => dependencies.clientCertificate(),
    isOwnEndpoint: (host, port) => dependencies.isOwnEndpoint(host, port),
  };
  const documents = createRemoteDocuments({ ...proxy, delegations, informers, logger });
  return {
    isDelegated: (info) => delegations.find(info) !== undefined,
    async handle(context) {
      const found = delegations.find(context.info);
      return found ? passOn(context, found, proxy) : notFoundPage();
    },
    versions: () => documents.versions(),
    withOpenAPI: (own) => withAggregatedOpenAPI(own, () => documents.swagger()),
    openAPIPaths: () => documents.openAPIPaths(),
    async openAPI(context, path) {
      const found = delegations.list().find(({ spec }) => path === `apis/${spec.group}/${spec.version}`);
      return found ? passOn(context, found, proxy) : notFoundPage();
    },
    async run(signal) {
      const { client, clock, metrics } = dependencies;
      await Promise.all([
        keepAvailability({ ...proxy, client, informers, metrics, logger }, signal),
        documents.run(signal),
        registerCustom({ client, informers, clock, logger }, signal),
      ]);
    },
  };
}
