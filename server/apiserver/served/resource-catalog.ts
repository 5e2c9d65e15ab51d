import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

/** The kinds that are served at one moment. A snapshot is replaced as a whole and never changed. */
export interface ServedSnapshot {
  /** Counts the replacements. */
  readonly version: number;
  readonly definitions: readonly ResourceDefinition[];
  readonly groups: ReadonlySet<string>;
  find(group: string, version: string, plural: string): ResourceDefinition | undefined;
}

/** The kinds that are served: the built-in ones and those that come and go at run time. */
export interface ResourceCatalog {
  readonly snapshot: ServedSnapshot;
  /**
   * Puts `definitions` in the place of those that the same source gave before, e.g. a CustomResourceDefinition. A definition
   * that has not changed has to be the same object: stores, caches and documents are kept by it.
   */
  replace(source: string, definitions: readonly ResourceDefinition[]): void;
  /** Calls the listener after each replacement; returns how to stop that. */
  onChange(listener: () => void): () => void;
}

export function createResourceCatalog(builtIn: readonly ResourceDefinition[]): ResourceCatalog {
  const sources = new Map<string, readonly ResourceDefinition[]>();
  const listeners = new Set<() => void>();
  let snapshot = createSnapshot(0, builtIn);
  return {
    get snapshot() {
      return snapshot;
    },
    replace(source, definitions) {
      const former = sources.get(source) ?? [];
      if (former.length === definitions.length && definitions.every((definition, index) => definition === former[index])) return;
      if (definitions.length === 0) sources.delete(source);
      else sources.set(source, definitions);
      snapshot = createSnapshot(snapshot.version + 1, [...builtIn, ...[...sources.values()].flat()]);
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Its indexes are made when they are first asked for: many snapshots follow one another before anybody asks. */
function createSnapshot(version: number, definitions: readonly ResourceDefinition[]): ServedSnapshot {
  let groups: ReadonlySet<string> | undefined;
  let byName: ReadonlyMap<string, ResourceDefinition> | undefined;
  return {
    version,
    definitions,
    get groups() {
      groups ??= new Set(definitions.map(({ group }) => group));
      return groups;
    },
    find(group, version, plural) {
      byName ??= new Map(
        definitions.map((definition) => [nameOf(definition.group, definition.version, definition.names.plural), definition]),
      );
      return byName.get(nameOf(group, version, plural));
    },
  };
}

const nameOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;
