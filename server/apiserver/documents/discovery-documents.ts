import { createHash } from 'node:crypto';
import type { ResourceDefinition, SubresourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { APIGroupDiscovery, APIResourceDiscovery, APISubresourceDiscovery } from '../../../api/types/apidiscovery-v2.ts';
import type { APIGroup, APIGroupList, APIResource, APIResourceList } from '../../../api/types/meta-v1.ts';
import type { DelegatedVersion } from '../served/delegated-version.ts';
import { createDiscoveryOrder } from '../served/group-priorities.ts';

/** Makes the discovery documents of a set of definitions. Key order is that of the wire. Pure. */

interface ServedVersion {
  readonly version: string;
  readonly definitions: readonly ResourceDefinition[];
  /** The resources that another API server serves in this version, in place of the definitions. */
  readonly delegated?: DelegatedVersion;
}

export interface ServedGroup {
  readonly group: string;
  /** The versions, the preferred one first. */
  readonly versions: readonly ServedVersion[];
}

/** Definitions, and versions of other API servers, by group and version, in the order of discovery. */
export function groupDefinitions(definitions: readonly ResourceDefinition[], delegated: readonly DelegatedVersion[] = []): ServedGroup[] {
  const { compareGroups, compareVersions } = createDiscoveryOrder(delegated);
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  const versionsOf = (group: string) => {
    const versions = groups.get(group) ?? new Map<string, ResourceDefinition[]>();
    groups.set(group, versions);
    return versions;
  };
  for (const definition of definitions) {
    const versions = versionsOf(definition.group);
    versions.set(definition.version, [...(versions.get(definition.version) ?? []), definition]);
  }
  for (const { group, version } of delegated) versionsOf(group).set(version, []);
  const others = new Map(delegated.map((one) => [`${one.group}/${one.version}`, one]));
  return [...groups.keys()].sort(compareGroups).map((group) => ({
    group,
    versions: [...(groups.get(group) ?? [])]
      .sort(([a], [b]) => compareVersions(group, a, b))
      .map(([version, ofVersion]) => {
        const sorted = ofVersion.toSorted((a, b) => compareText(a.names.plural, b.names.plural));
        const other = others.get(`${group}/${version}`);
        return { version, definitions: sorted, ...(other ? { delegated: other } : {}) };
      }),
  }));
}

export function apiGroupList(groups: readonly ServedGroup[]): APIGroupList {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter(({ group }) => group !== '').map(groupEntry) };
}

export function apiGroup(group: ServedGroup): APIGroup {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
}

function groupEntry({ group, versions }: ServedGroup): APIGroup {
  const entries = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  const [preferred] = entries;
  return { name: group, versions: entries, ...(preferred ? { preferredVersion: preferred } : {}) };
}

export function apiResourceList(group: string, { version, definitions }: ServedVersion): APIResourceList {
  const resources = definitions.flatMap((definition) => [
    mainResource(definition),
    ...subresourcesOf(definition).map(([name, sub]) => subresource(definition, name, sub)),
  ]);
  const groupVersion = group === '' ? version : `${group}/${version}`;
  // The list of the core group has no apiVersion, as upstream's.
  return { kind: 'APIResourceList', ...(group === '' ? {} : { apiVersion: 'v1' }), groupVersion, resources };
}

function mainResource(definition: ResourceDefinition): APIResource {
  const { names, scope } = definition;
  const hash = storageVersionHash(definition);
  return {
    name: names.plural,
    singularName: names.singular,
    namespaced: scope === 'Namespaced',
    kind: names.kind,
    verbs: verbsOf(definition),
    ...(names.shortNames.length > 0 ? { shortNames: [...names.shortNames] } : {}),
    ...(names.categories.length > 0 ? { categories: [...names.categories] } : {}),
    ...(hash === undefined ? {} : { storageVersionHash: hash }),
  };
}

function subresource(
  { names, scope }: ResourceDefinition,
  name: string,
  { group, version, kind, verbs }: SubresourceDefinition,
): APIResource {
  return {
    name: `${names.plural}/${name}`,
    singularName: '',
    namespaced: scope === 'Namespaced',
    ...(group === undefined || group === '' ? {} : { group }),
    ...(version === undefined ? {} : { version }),
    kind,
    verbs: [...verbs].sort(),
  };
}

/** The verbs of custom kinds, in upstream's order. */
const customVerbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const terminatingVerbs = ['delete', 'deletecollection', 'get', 'list', 'watch'];

function verbsOf({ schema, isTerminating, verbs }: ResourceDefinition): string[] {
  if (!schema) return [...verbs].sort();
  return isTerminating ? terminatingVerbs : customVerbs;
}

function subresourcesOf({ schema, subresources }: ResourceDefinition): [string, SubresourceDefinition][] {
  const entries = Object.entries(subresources);
  return schema ? entries : entries.sort(([a], [b]) => compareText(a, b));
}

/**
 * A hash that changes with the stored version. CustomResourceDefinitions have the hash of the version in which they were stored at first,
 * as upstream's.
 */
function storageVersionHash(definition: ResourceDefinition): string | undefined {
  if (definition.storagePrefix === undefined) return undefined;
  const { group, version } = definition.storageVersion ?? definition;
  const storedVersion = group === 'apiextensions.k8s.io' ? 'v1beta1' : version;
  return createHash('sha256').update(`${group}/${storedVersion}/${definition.names.kind}`).digest().subarray(0, 8).toString('base64');
}

/** A group in the form of aggregated discovery (KEP-3352). */
export function apiGroupDiscovery({ group, versions }: ServedGroup): APIGroupDiscovery {
  return {
    metadata: group === '' ? {} : { name: group },
    versions: versions.map(({ version, definitions, delegated }) => {
      if (!delegated) return { version, resources: definitions.map(resourceDiscovery), freshness: 'Current' };
      const { resources, freshness } = delegated;
      return { version, ...(resources.length > 0 ? { resources: [...resources] } : {}), freshness };
    }),
  };
}

function resourceDiscovery(definition: ResourceDefinition): APIResourceDiscovery {
  const { group, version, names, scope } = definition;
  // Custom kinds have all fields.
  const own = definition.schema ? { group, version } : { group: '', version: '' };
  const subresources = subresourcesOf(definition).map(([name, sub]) => subresourceDiscovery(name, { ...own, ...sub }));
  return {
    resource: names.plural,
    responseKind: { ...own, kind: names.kind },
    scope: scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: names.singular,
    verbs: verbsOf(definition),
    ...(names.shortNames.length > 0 ? { shortNames: [...names.shortNames] } : {}),
    ...(names.categories.length > 0 ? { categories: [...names.categories] } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

function subresourceDiscovery(name: string, { group = '', version = '', kind, verbs }: SubresourceDefinition): APISubresourceDiscovery {
  return { subresource: name, responseKind: { group, version, kind }, verbs: [...verbs].sort() };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
