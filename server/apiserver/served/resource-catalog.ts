import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

/** The kinds that are served at one moment. A snapshot is replaced as a whole and never modified. */
export interface ServedSnapshot {
  /** Counts the replacements. */
  readonly version: number;
  readonly definitions: readonly ResourceDefinition[];
  /** The groups of built-in kinds. */
  readonly builtInGroups: ReadonlySet<string>;
  find(group: string, version: string, plural: string): ResourceDefinition | undefined;
}

/** The served kinds: the built-in ones, and those that are added and removed at run time. */
export interface ResourceCatalog {
  readonly snapshot: ServedSnapshot;
  /**
   * Replaces the definitions of each source (for example of a CustomResourceDefinition) by new ones. An unchanged definition must be the
   * same object, since stores, caches and documents are kept by it. Kinds that are shadowed by built-in ones are left out.
   */
  replace(changes: ReadonlyMap<string, readonly ResourceDefinition[]>): void;
  /**
   * Whether a kind is left out because of a built-in one: it would have the same paths or stored keys, or a name by which a built-in kind
   * is known.
   */
  isShadowed(definition: ResourceDefinition): boolean;
  /** Calls the listener after each replacement; returns how to stop that. */
  onChange(listener: () => void): () => void;
}

export function createResourceCatalog(builtIn: readonly ResourceDefinition[]): ResourceCatalog {
  const sources = new Map<string, readonly ResourceDefinition[]>();
  const listeners = new Set<() => void>();
  const groups = new Set(builtIn.map(({ group }) => group));
  const ownNames = new Set(
    builtIn.flatMap(({ group, names }) => [nameOf(group, 'kind', names.kind), nameOf(group, 'plural', names.plural)]),
  );
  const ownPrefixes = new Set(builtIn.flatMap(({ storagePrefix }) => storagePrefix ?? []));
  const isShadowed: ResourceCatalog['isShadowed'] = ({ group, names, storagePrefix = '' }) =>
    ownNames.has(nameOf(group, 'kind', names.kind)) ||
    ownNames.has(nameOf(group, 'plural', names.plural)) ||
    ownPrefixes.has(storagePrefix);
  let snapshot = createSnapshot(0, builtIn, groups);
  return {
    isShadowed,
    get snapshot() {
      return snapshot;
    },
    replace(changes) {
      let isChanged = false;
      for (const [source, given] of changes) {
        const definitions = given.filter((definition) => !isShadowed(definition));
        const former = sources.get(source) ?? [];
        if (former.length === definitions.length && definitions.every((definition, index) => definition === former[index])) continue;
        isChanged = true;
        if (definitions.length === 0) sources.delete(source);
        else sources.set(source, definitions);
      }
      if (!isChanged) return;
      snapshot = createSnapshot(snapshot.version + 1, [...builtIn, ...[...sources.values()].flat()], groups);
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Its indexes are made on first use, since many snapshots are replaced before any is read. */
function createSnapshot(version: number, definitions: readonly ResourceDefinition[], builtInGroups: ReadonlySet<string>): ServedSnapshot {
  let byName: ReadonlyMap<string, ResourceDefinition> | undefined;
  return {
    version,
    definitions,
    builtInGroups,
    find(group, version, plural) {
      byName ??= new Map(definitions.map((definition) => [keyOf(definition), definition]));
      return byName.get(nameOf(group, version, plural));
    },
  };
}

const keys = new WeakMap<ResourceDefinition, string>();

/** The key is kept: of many kinds one comes at a time, and all are indexed again. */
function keyOf(definition: ResourceDefinition): string {
  const { group, version, names } = definition;
  let key = keys.get(definition);
  if (key === undefined) keys.set(definition, (key = nameOf(group, version, names.plural)));
  return key;
}

const nameOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`;
