import type { InformerFactory } from '../../api/client/informers/informer.ts';
import type { ResourceDefinition } from '../../api/resource/resource-definition.ts';
import { catalog } from '../../api/resources/catalog.ts';
import { services } from '../../api/resources/core/v1/service.ts';
import type { AdmissionPlugin } from '../apiserver/admission/admission.ts';
import { configurePlugins, type PluginConfigurations } from '../apiserver/admission/configure-plugins.ts';
import { createAdmissionDependencies } from './admission-dependencies.ts';
import { createAdmission } from '../apiserver/admission/dispatcher.ts';
import { chooseAdmissionPlugins, type PluginChoice } from '../apiserver/admission/choose-plugins.ts';
import { namespaceLifecycle } from '../apiserver/admission/plugins/namespace-lifecycle.ts';
import { admissionPlugins, pluginsOffByDefault } from '../apiserver/admission/plugins/plugins.ts';
import type { APIServerParts } from '../apiserver/api-server.ts';
import type { GroupServer } from '../apiserver/routing/group-server.ts';
import { createCustomKinds, customKindHooks } from '../apiserver/extensions/custom-kinds.ts';
import { createResourceEndpoints } from '../apiserver/routing/dispatch.ts';
import { createServiceAllocation } from '../apiserver/registry/allocation/service-allocation.ts';
import { createObjectConverter } from '../apiserver/webhooks/convert-objects.ts';
import { measureStorage } from '../apiserver/metrics/measure-storage.ts';
import { createResourceCatalog } from '../apiserver/served/resource-catalog.ts';
import { createStoredResources } from '../apiserver/served/stored-caches.ts';
import type { LargeWork } from '../apiserver/registry/large-objects/large-work.ts';
import type { SecureDialer } from '../apiserver/services/secure-dialer.ts';
import type { Component, Dialer } from '../apiserver/subresources/subresource.ts';
import { subresourceHandlers } from '../apiserver/subresources/handlers.ts';
import type { Storage } from '../storage/storage.ts';
import type { CacheSource } from '../storage/watch-cache/cache-source.ts';

export interface ResourcesOptions {
  readonly storage: Storage;
  readonly caches: CacheSource;
  /** One range, or two of different families. */
  readonly serviceCIDRs: readonly string[];
  readonly dialer: Dialer;
  /** Calls webhooks and aggregated API servers. Absent: none can be reached. */
  readonly secureDialer?: SecureDialer;
  /** Whether webhooks of Services are called at the Services' endpoints. Default true. */
  readonly routesToEndpoints?: boolean;
  /** Parts of the control plane beside the store that componentstatuses shows. Default: none. */
  readonly components?: readonly Component[];
  readonly minRequestTimeoutSeconds?: number;
  /** Default: all but those that are off by default. */
  readonly admissionPlugins?: PluginChoice;
  /** Configurations of admission plugins. Default: none. */
  readonly pluginConfigurations?: PluginConfigurations;
  /** Absent: large objects are worked on in this thread. */
  readonly largeWork?: LargeWork;
}

/** All built-in resources with admission, subresources and allocation, as one part of an API server. */
export function createResources(options: ResourcesOptions, parts: APIServerParts): GroupServer {
  const { clock, random, client, informers, authorizer, tokens, tokenIssuer } = parts;
  const allocation = createServiceAllocation({
    client,
    storage: options.storage,
    informers,
    clock,
    random,
    logger: parts.logger,
    serviceCIDRs: options.serviceCIDRs,
  });
  const plugins = configurePlugins(
    chooseAdmissionPlugins({ all: admissionPlugins, offByDefault: pluginsOffByDefault }, options.admissionPlugins ?? {}),
    options.pluginConfigurations ?? {},
  );
  const served = createResourceCatalog(catalog);
  const admission = createAdmissionDependencies(parts, () => served.snapshot.definitions, options);
  const endpoints = createResourceEndpoints({
    catalog: served,
    random,
    // The plugin itself asks caches, which may be stale where another server shares the store.
    guardsNamespaces: plugins.some(({ name }) => name === namespaceLifecycle.name),
    ...(options.minRequestTimeoutSeconds === undefined ? {} : { minRequestTimeoutSeconds: options.minRequestTimeoutSeconds }),
    subresourceHandlers,
    subresources: {
      client,
      clock,
      random,
      authorizer,
      rules: parts.rules,
      tokenIssuer,
      tokenAuthenticator: tokens,
      dialer: options.dialer,
      components: [...(options.components ?? []), { name: 'etcd-0', checkHealth: (signal) => options.storage.checkHealth(signal) }],
    },
    registry: {
      storage: measureStorage(options.storage, served, parts.metrics, clock),
      caches: options.caches,
      clock,
      random,
      admission: createAdmission(plugins, admission, parts.metrics.admission),
      ...(options.largeWork ? { largeWork: options.largeWork } : {}),
      convertObjects: createObjectConverter({ hooks: admission.hooks, random }),
      hooksFor: (definition) => (definition === (services as unknown as ResourceDefinition) ? allocation.hooks : undefined),
    },
  });
  const kinds = createCustomKinds({
    ...{ catalog: served, client, clock, logger: parts.logger, ...endpoints },
    ...(options.largeWork ? { largeWork: options.largeWork } : {}),
  });
  const stored = createStoredResources(served, (definition) => endpoints.storeFor(definition).cache);
  return {
    serves: ({ isResourceRequest }) => isResourceRequest,
    handle: endpoints.createHandler(kinds.catchUp),
    async run(signal) {
      await Promise.all([kinds.ended(), allocation.run(signal)]);
    },
    startHooks: [...customKindHooks, 'start-apiserver-admission-initializer', 'start-service-ip-repair-controllers'],
    async start(signal, runHook) {
      await kinds.start(signal, runHook);
      await runHook('start-apiserver-admission-initializer', () => syncAdmission(plugins, informers, signal));
      await runHook('start-service-ip-repair-controllers', () => allocation.start());
    },
    definitions: () => served.snapshot.definitions,
    withOpenAPI: (documents) => kinds.withOpenAPI(documents),
    stored: () => stored.names(),
    statistics: (resource) => stored.statistics(resource),
  };
}

/** Resolves when the plugins see all objects that they decide by. */
async function syncAdmission(plugins: readonly AdmissionPlugin[], informers: InformerFactory, signal: AbortSignal): Promise<void> {
  const resources = new Set(plugins.flatMap(({ reads = [] }) => reads));
  await Promise.all([...resources].map((resource) => informers.informer(resource).synced(signal)));
}
