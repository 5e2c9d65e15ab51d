import type { APIResponse } from '../../../api/client/transport.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { derivedParts } from '../admission/admission-request.ts';
import { annotating } from '../audit/audit-record.ts';
import { operationOptionsOf } from '../request/operation-options.ts';
import type { Random } from '../../../api/base/random.ts';
import {
  badRequest,
  createWhileTerminating,
  methodNotAllowed,
  methodNotSupported,
  notFound,
  resourceNotServed,
} from '../../../api/meta/status-errors.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { quote } from '../../../api/base/quote.ts';
import { pathSegmentNameProblems } from '../../../api/validation/names.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { RegistryDependencies } from '../registry/registry-dependencies.ts';
import { createStore } from '../registry/create-store.ts';
import type { Store } from '../registry/store.ts';
import type { ResourceCatalog } from '../served/resource-catalog.ts';
import type { SubresourceDependencies, SubresourceHandler } from '../subresources/subresource.ts';
import type { Admission } from '../admission/admission.ts';
import type { Handler, RequestContext, RequestInfo } from '../request/request-context.ts';
import { decodeQuestion } from '../subresources/decode-question.ts';
import { createEndpoint } from '../verbs/create.ts';
import { deleteCollectionEndpoint } from '../verbs/delete-collection.ts';
import { deleteEndpoint } from '../verbs/delete.ts';
import { getEndpoint } from '../verbs/get.ts';
import { listEndpoint } from '../verbs/list.ts';
import { notFoundPage } from './non-resource.ts';
import { createRoutes, type Route } from './routes.ts';
import { plainItemResponse, plainListResponse, plainObjectResponse } from '../responses/object-response.ts';
import { checkRoute } from '../responses/route-media-types.ts';
import { type WatchDuration, watchEndpoint } from '../verbs/watch.ts';
import { patchEndpoint } from '../verbs/patch.ts';
import { updateEndpoint } from '../verbs/update.ts';

export interface ResourceEndpointsDependencies {
  readonly registry: Omit<RegistryDependencies, 'namespaces' | 'catalog'>;
  readonly catalog: ResourceCatalog;
  /** New objects are only written into namespaces that are active in the store. Absent: false. */
  readonly guardsNamespaces?: boolean;
  readonly random: Random;
  /** The least duration of watches that ask for none; default 1800. */
  readonly minRequestTimeoutSeconds?: number;
  readonly subresourceHandlers: readonly SubresourceHandler[];
  readonly subresources: Omit<SubresourceDependencies, 'storeFor' | 'admit' | 'decodeBody' | 'respond' | 'respondItem' | 'respondList'>;
}

export interface ResourceEndpoints {
  /** The handler of requests. `catchUp` learns of kinds that others have added, before a request is answered that there is none. */
  createHandler(catchUp: (signal: AbortSignal) => Promise<void>): Handler;
  /** A store of objects of any kind, served or not, that asks no admission plugin. */
  openStore(definition: ResourceDefinition): Store;
  /** The store of a served resource, which bootstrap and allocators write through. */
  storeFor<T extends KubeObject>(definition: ResourceDefinition<T>): Store;
}

/** All verbs on all resources: finds the resource of a request and calls the endpoint of its verb. */
export function createResourceEndpoints(dependencies: ResourceEndpointsDependencies): ResourceEndpoints {
  const { catalog, guardsNamespaces = false, random, subresourceHandlers, minRequestTimeoutSeconds = 1800 } = dependencies;
  const watchDuration = { minSeconds: minRequestTimeoutSeconds, random };
  const registry: RegistryDependencies = {
    ...dependencies.registry,
    catalog,
    ...(guardsNamespaces ? { namespaces: () => routes.find('', 'v1', 'namespaces')?.store?.cache } : {}),
  };
  const routes = createRoutes(catalog, { registry, subresourceHandlers });
  const storeFor = <T extends KubeObject>({ group, version, names }: ResourceDefinition<T>): Store => {
    const store = routes.find(group, version, names.plural)?.store;
    if (!store) throw new Error(`${names.plural} of ${group}/${version} is not stored`);
    return store;
  };
  const subresourceDependencies: SubresourceDependencies = {
    ...dependencies.subresources,
    storeFor,
    admit: (request) => admit(registry, request),
    decodeBody: async (context, definition, { apiVersion, kind }) => {
      const slash = apiVersion.indexOf('/');
      const expected = { group: apiVersion.slice(0, Math.max(0, slash)), version: apiVersion.slice(slash + 1), kind, definition };
      const body = await decodeQuestion(context, expected, registry.largeWork);
      context.audit?.noteObject(body as unknown as UntypedObject);
      return body;
    },
    respond: plainObjectResponse,
    respondItem: plainItemResponse,
    respondList: plainListResponse,
  };
  return {
    storeFor,
    openStore: (definition) => createStore(definition, { ...registry, admission: noAdmission }),
    createHandler: (catchUp) => async (context) => {
      const { apiGroup, apiVersion, resource } = context.info;
      let route = routes.find(apiGroup, apiVersion, resource);
      if (!route && catalog.snapshot.builtInGroups.has(apiGroup)) throw resourceNotServed();
      if (!route) {
        // Another server of the same store may have added the kind just now.
        await catchUp(context.signal);
        route = routes.find(apiGroup, apiVersion, resource);
      }
      if (!route || (route.definition.schema && leadsPast(context.info, route.definition))) return notFoundPage();
      if (route.definition.schema) checkCustomRoute(context.info, route.definition);
      return callEndpoint(context, route, subresourceDependencies, watchDuration);
    },
  };
}

const noAdmission: Admission = { mutate: async () => undefined, validate: async () => undefined };

/** Whether a path within the scope of a custom kind is of the other scope: upstream has nothing there. */
function leadsPast({ namespace, verb }: RequestInfo, { scope }: ResourceDefinition): boolean {
  if (scope === 'Cluster') return namespace !== '';
  return namespace === '' && verb !== 'list' && verb !== 'watch';
}

const customSubresourceVerbs: readonly string[] = ['get', 'patch', 'update'];

/** The subresources and verbs of custom kinds, whose routes are not those of built-in kinds. Throws 404, 405. */
function checkCustomRoute({ subresource, name, verb }: RequestInfo, definition: ResourceDefinition): void {
  if (subresource !== '') {
    if (!Object.hasOwn(definition.subresources, subresource)) throw notFound(definition, name);
    if (!customSubresourceVerbs.includes(verb)) throw methodNotSupported(definition, verb);
  }
  if (definition.isTerminating && verb === 'create') throw createWhileTerminating(definition);
}

async function callEndpoint(
  context: RequestContext,
  route: Route,
  dependencies: SubresourceDependencies,
  watchDuration: WatchDuration,
): Promise<APIResponse> {
  const { info } = context;
  const { definition, store } = route;
  checkSubresource(info.subresource, route);
  // Reviews have no names.
  if (!store && info.parts.length > 1 && definition.verbs.join() === 'create') throw resourceNotServed();
  checkMethod(context, definition);
  if (definition.deprecationWarning !== undefined) {
    context.addWarning(definition.deprecationWarning);
    context.audit?.annotate('k8s.io/deprecated', 'true');
  }
  const handler = route.subresources.get(info.subresource);
  if (handler) {
    if (
      info.subresource !== '' &&
      info.subresource !== 'proxy' &&
      definition.subresources[info.subresource]?.verbs.includes(info.verb) === false
    )
      throw methodNotAllowed();
    checkRoute(context);
    return handler.handle(context, dependencies);
  }
  if (info.subresource !== '') {
    if (definition.subresources[info.subresource]?.verbs.includes(info.verb) !== true) throw methodNotAllowed();
  } else if (!definition.verbs.includes(info.verb as ResourceDefinition['verbs'][number])) throw methodNotAllowed();
  if (!store) throw methodNotAllowed();
  checkRoute(context);
  const [problem] = pathSegmentNameProblems(info.name);
  if (problem !== undefined) throw badRequest(`Name parameter invalid: ${quote(info.name)}: ${problem}`);
  switch (info.verb) {
    case 'get':
      return getEndpoint(context, store);
    case 'list':
      return listEndpoint(context, store);
    case 'watch':
      return watchEndpoint(context, store, watchDuration, route.ended);
    case 'create':
      return createEndpoint(context, store);
    case 'update':
      return updateEndpoint(context, store);
    case 'patch':
      return patchEndpoint(context, store);
    case 'delete':
      return deleteEndpoint(context, store, dependencies.authorizer);
    case 'deletecollection':
      return deleteCollectionEndpoint(context, store);
    default:
      throw methodNotAllowed();
  }
}

/** A subresource that is a view of the object itself needs no handler: its strategy distinguishes it. */
function checkSubresource(name: string, { definition, store, subresources }: Route): void {
  if (name === '' || subresources.has(name)) return;
  const view = definition.subresources[name];
  if (!view || view.kind !== definition.names.kind || view.group !== undefined || !store) throw resourceNotServed();
}

/** Methods that the route of a path does not have. HEAD is authorized as get, but only proxies have routes for it. */
function checkMethod({ request, info }: RequestContext, definition: ResourceDefinition): void {
  const isRead = info.verb === 'get' || info.verb === 'list' || info.verb === 'watch';
  if (isRead && request.method !== 'GET' && info.subresource !== 'proxy') throw methodNotAllowed();
  const spansNamespaces = definition.scope === 'Namespaced' && info.namespace === '';
  if (spansNamespaces && info.verb !== 'list' && info.verb !== 'watch') throw methodNotAllowed();
  const needsName = info.verb === 'update' || info.verb === 'patch';
  if (needsName && info.name === '') throw methodNotAllowed();
  if (info.verb === 'create' && info.parts.length === 2 && info.subresource === '') throw methodNotAllowed();
}

type AdmitRequest = Parameters<SubresourceDependencies['admit']>[0];

async function admit(
  { admission }: RegistryDependencies,
  { context, operation, store, subresource, object, dryRun }: AdmitRequest,
): Promise<void> {
  const request = {
    operation,
    resource: store.definition,
    subresource,
    namespace: context.info.namespace,
    name: context.info.name,
    ...(object === undefined ? {} : { object: object as never }),
    user: context.user,
    dryRun,
    signal: context.signal,
    deadlineMs: context.deadlineMs,
    addWarning: context.addWarning,
    ...derivedParts(store.definition, subresource, operation, operationOptionsOf(context.query)),
    ...annotating(context),
  };
  const { metadata } = (object ?? {}) as Partial<UntypedObject>;
  if (operation === 'CREATE' && context.info.namespace !== '' && metadata) metadata.namespace ||= context.info.namespace;
  await admission.mutate(request);
  await admission.validate(request);
}
