import type { RequestInfo } from '../request/request-context.ts';

/** Counts open watches by their scope, so that a write is charged for the watches that it wakes. */
export interface WatchTracker {
  /** Returns a function to call, once or more, when the watch has ended. */
  register(info: RequestInfo): () => void;
  /** The number of watches that the request's change concerns. */
  interested(info: RequestInfo): number;
}

/** The watches of one resource. Most are of all its objects, so the other counts are seldom used. */
interface ResourceWatches {
  everywhere: number;
  readonly namespaces: Map<string, number>;
  readonly names: Map<string, number>;
  /** By namespace and name. */
  readonly objects: Map<string, number>;
}

export function createWatchTracker(): WatchTracker {
  /** By plural, then group: looked up for every write, without making a key. */
  const resources = new Map<string, Map<string, ResourceWatches>>();
  const add = (info: RequestInfo, change: 1 | -1) => {
    const groups = getOrInsert(resources, info.resource, () => new Map<string, ResourceWatches>());
    const watches = getOrInsert(groups, info.apiGroup, () => ({
      everywhere: 0,
      namespaces: new Map(),
      names: new Map(),
      objects: new Map(),
    }));
    if (info.namespace === '' && info.name === '') watches.everywhere += change;
    else if (info.name === '') count(watches.namespaces, info.namespace, change);
    else if (info.namespace === '') count(watches.names, info.name, change);
    else count(watches.objects, `${info.namespace}/${info.name}`, change);
    if (watches.everywhere + watches.namespaces.size + watches.names.size + watches.objects.size > 0) return;
    groups.delete(info.apiGroup);
    if (groups.size === 0) resources.delete(info.resource);
  };
  return {
    register(info) {
      add(info, 1);
      let isOpen = true;
      return () => {
        if (isOpen) add(info, -1);
        isOpen = false;
      };
    },
    interested({ apiGroup, resource, namespace, name }) {
      const watches = resources.get(resource)?.get(apiGroup);
      if (watches === undefined) return 0;
      let sum = watches.everywhere;
      if (namespace !== '' && watches.namespaces.size > 0) sum += watches.namespaces.get(namespace) ?? 0;
      if (name !== '' && watches.names.size > 0) sum += watches.names.get(name) ?? 0;
      if (namespace !== '' && name !== '' && watches.objects.size > 0) sum += watches.objects.get(`${namespace}/${name}`) ?? 0;
      return sum;
    },
  };
}

function getOrInsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}

function count(counts: Map<string, number>, key: string, change: number): void {
  const sum = (counts.get(key) ?? 0) + change;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}
