import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';

/** The other ways in which the objects of a resource are served: its other versions, and other groups that share its storage (Events). */
export interface EquivalentResources {
  /** In the order of discovery, without the resource itself; only those that have the subresource. */
  of(resource: ResourceDefinition, subresource: string): readonly ResourceDefinition[];
}

/** @param definitions everything that is served; another array whenever that changes */
export function createEquivalentResources(definitions: () => readonly ResourceDefinition[]): EquivalentResources {
  let seen: readonly ResourceDefinition[] | undefined;
  let byObjects = new Map<string, readonly ResourceDefinition[]>();
  return {
    of(resource, subresource) {
      const served = definitions();
      if (served !== seen) {
        byObjects = Map.groupBy(served, objectsOf);
        seen = served;
      }
      const same = byObjects.get(objectsOf(resource)) ?? [];
      if (same.length < 2) return [];
      return same.filter(
        (other) => !isSameVersion(other, resource) && (subresource === '' || other.subresources[subresource] !== undefined),
      );
    },
  };
}

/** The group that stores the objects, and the resource. */
function objectsOf({ group, storageVersion, names }: ResourceDefinition): string {
  return `${storageVersion?.group ?? group}/${names.plural}`;
}

function isSameVersion(a: ResourceDefinition, b: ResourceDefinition): boolean {
  return a.group === b.group && a.version === b.version;
}
