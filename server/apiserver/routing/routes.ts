import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { createStore } from '../registry/create-store.ts';
import type { RegistryDependencies } from '../registry/registry-dependencies.ts';
import type { Store } from '../registry/store.ts';
import type { ResourceCatalog } from '../served/resource-catalog.ts';
import { customScale } from '../subresources/custom-scale.ts';
import type { SubresourceHandler } from '../subresources/subresource.ts';

/** The access to the objects of one served resource. */
export interface Route {
  readonly definition: ResourceDefinition;
  /** Absent for kinds that are not stored. */
  readonly store: Store | undefined;
  readonly subresources: ReadonlyMap<string, SubresourceHandler>;
  /** Aborted when the kind is no longer served in this form: its watches end. Absent for built-in kinds. */
  readonly ended: AbortSignal | undefined;
}

interface Routes {
  find(group: string, version: string, plural: string): Route | undefined;
}

interface RoutesDependencies {
  readonly registry: RegistryDependencies;
  readonly subresourceHandlers: readonly SubresourceHandler[];
}

/** A route that is open, and how its watches are ended. */
interface OpenRoute extends Route {
  readonly ending: AbortController | undefined;
}

/**
 * The routes of the kinds in the catalog. Those of built-in kinds are there from the beginning; others are made, with the store
 * and the cache of the kind, when they are first used. A route lasts as long as its definition is in the catalog.
 */
export function createRoutes(catalog: ResourceCatalog, { registry, subresourceHandlers }: RoutesDependencies): Routes {
  const routes = new Map<ResourceDefinition, OpenRoute>();
  const add = (definition: ResourceDefinition, former?: OpenRoute): OpenRoute => {
    const { group, names, storagePrefix } = definition;
    const handlers = definition.scalePaths
      ? [customScale(definition)]
      : subresourceHandlers.filter((handler) => handler.group === group && handler.resource === names.plural);
    const ending = former ? former.ending : definition.schema && new AbortController();
    const route: OpenRoute = {
      definition,
      store: former ? former.store : storagePrefix === undefined ? undefined : createStore(definition, registry),
      subresources: new Map(handlers.map((handler) => [handler.subresource, handler])),
      ending,
      ended: ending?.signal,
    };
    routes.set(definition, route);
    return route;
  };
  for (const definition of catalog.snapshot.definitions) add(definition);
  catalog.onChange(() => {
    const { snapshot } = catalog;
    const gone: OpenRoute[] = [];
    for (const route of openRoutes(routes)) {
      const { definition } = route;
      const present = snapshot.find(definition.group, definition.version, definition.names.plural);
      if (present === definition) continue;
      routes.delete(definition);
      // The same schema object: nothing that concerns stored objects has changed.
      if (present && present.schema === definition.schema) add(present, route);
      else gone.push(route);
    }
    for (const { ending } of gone) ending?.abort(new Error('the kind is served otherwise now, or not any more'));
    releaseCaches(gone, snapshot.definitions, registry);
  });
  return {
    find(group, version, plural) {
      const definition = catalog.snapshot.find(group, version, plural);
      return definition && (routes.get(definition) ?? add(definition));
    },
  };
}

/** The routes of kinds that can change. */
function openRoutes(routes: ReadonlyMap<ResourceDefinition, OpenRoute>): OpenRoute[] {
  return [...routes.values()].filter(({ ending }) => ending !== undefined);
}

/** Forgets the caches of kinds that are in no version served any more. */
function releaseCaches(gone: readonly Route[], definitions: readonly ResourceDefinition[], { caches }: RegistryDependencies): void {
  const prefixes = new Set(gone.flatMap(({ definition }) => definition.storagePrefix ?? []));
  if (prefixes.size === 0) return;
  for (const { storagePrefix } of definitions) if (storagePrefix !== undefined) prefixes.delete(storagePrefix);
  for (const prefix of prefixes) caches.release(`/registry/${prefix}/`);
}
