import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { createStore } from '../registry/create-store.ts';
import type { RegistryDependencies } from '../registry/registry-dependencies.ts';
import type { Store } from '../registry/store.ts';
import type { ResourceCatalog } from '../served/resource-catalog.ts';
import type { SubresourceHandler } from '../subresources/subresource.ts';

/** The way to the objects of one served resource. */
export interface Route {
  readonly definition: ResourceDefinition;
  /** Absent for kinds that are not stored. */
  readonly store: Store | undefined;
  readonly subresources: ReadonlyMap<string, SubresourceHandler>;
}

interface Routes {
  find(group: string, version: string, plural: string): Route | undefined;
}

interface RoutesDependencies {
  readonly registry: RegistryDependencies;
  readonly subresourceHandlers: readonly SubresourceHandler[];
}

/**
 * The routes of the kinds in the catalog. Those of built-in kinds are there from the beginning; others are made, with the store
 * and the cache of the kind, when they are first used. A route lasts as long as its definition is in the catalog.
 */
export function createRoutes(catalog: ResourceCatalog, { registry, subresourceHandlers }: RoutesDependencies): Routes {
  const routes = new Map<ResourceDefinition, Route>();
  catalog.onChange(() => {
    const served = new Set(catalog.snapshot.definitions);
    for (const definition of routes.keys()) if (!served.has(definition)) routes.delete(definition);
  });
  const add = (definition: ResourceDefinition): Route => {
    const { group, names, storagePrefix } = definition;
    const handlers = subresourceHandlers.filter((handler) => handler.group === group && handler.resource === names.plural);
    const route: Route = {
      definition,
      store: storagePrefix === undefined ? undefined : createStore(definition, registry),
      subresources: new Map(handlers.map((handler) => [handler.subresource, handler])),
    };
    routes.set(definition, route);
    return route;
  };
  for (const definition of catalog.snapshot.definitions) add(definition);
  return {
    find(group, version, plural) {
      const definition = catalog.snapshot.find(group, version, plural);
      return definition && (routes.get(definition) ?? add(definition));
    },
  };
}
