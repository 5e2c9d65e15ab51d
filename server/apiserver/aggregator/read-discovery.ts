import { isJSONObject, type JSONObject } from '../../../api/base/json-object.ts';
import type { APIResourceDiscovery, APISubresourceDiscovery } from '../../../api/types/apidiscovery-v2.ts';
import type { GroupVersionKind } from '../../../api/types/meta-v1.ts';

/** Reads the discovery documents of other API servers. Only the known fields are taken over. Pure. */

/** The resources of one group version in an APIGroupDiscoveryList; undefined: the list does not contain it. Throws for another document. */
export function readAggregatedDiscovery(text: string, group: string, version: string): readonly APIResourceDiscovery[] | undefined {
  const { items } = parse(text);
  if (!Array.isArray(items)) throw new Error('the answer is no APIGroupDiscoveryList');
  const found = objects(items).find(({ metadata }) => isJSONObject(metadata) && metadata['name'] === group);
  const served = objects(found?.['versions']).find((one) => one['version'] === version);
  return served && objects(served['resources']).flatMap((one) => resourceOf(one));
}

/** The resources of an APIResourceList, in which subresources are separate entries. Throws for another document. */
export function readResourceList(text: string, group: string, version: string): readonly APIResourceDiscovery[] {
  const { resources, groupVersion } = parse(text);
  if (!Array.isArray(resources) || groupVersion !== `${group}/${version}`)
    throw new Error(`the answer is no APIResourceList of ${group}/${version}`);
  const found = new Map<string, APIResourceDiscovery>();
  for (const one of objects(resources)) {
    const [resource = '', subresource] = textOf(one, 'name').split('/');
    const kind: GroupVersionKind = {
      group: textOf(one, 'group') || group,
      version: textOf(one, 'version') || version,
      kind: textOf(one, 'kind'),
    };
    const present = found.get(resource);
    if (subresource === undefined) {
      found.set(resource, {
        ...{ resource, responseKind: kind, scope: one['namespaced'] === true ? 'Namespaced' : 'Cluster' },
        ...{ singularResource: textOf(one, 'singularName'), verbs: textsOf(one, 'verbs') },
        ...optional('shortNames', textsOf(one, 'shortNames')),
        ...optional('categories', textsOf(one, 'categories')),
        ...(present?.subresources ? { subresources: present.subresources } : {}),
      });
      continue;
    }
    const parent = present ?? {
      resource,
      scope: one['namespaced'] === true ? 'Namespaced' : 'Cluster',
      singularResource: '',
      verbs: [],
      responseKind: emptyKind,
    };
    const subresources = [...(parent.subresources ?? []), { subresource, responseKind: kind, verbs: textsOf(one, 'verbs') }];
    found.set(resource, { ...parent, subresources });
  }
  return [...found.values()];
}

const emptyKind: GroupVersionKind = { group: '', version: '', kind: '' };

function parse(text: string): JSONObject {
  const value: unknown = JSON.parse(text);
  if (!isJSONObject(value)) throw new Error('the answer is no object');
  return value;
}

function resourceOf(one: JSONObject): APIResourceDiscovery[] {
  const resource = textOf(one, 'resource');
  if (resource === '') return [];
  const subresources = objects(one['subresources']).flatMap((sub): APISubresourceDiscovery[] => {
    const subresource = textOf(sub, 'subresource');
    if (subresource === '') return [];
    return [
      {
        subresource,
        responseKind: kindOf(sub['responseKind']),
        ...optional('acceptedTypes', objects(sub['acceptedTypes']).map(kindOf)),
        verbs: textsOf(sub, 'verbs'),
      },
    ];
  });
  return [
    {
      ...{ resource, responseKind: kindOf(one['responseKind']), scope: textOf(one, 'scope') === 'Namespaced' ? 'Namespaced' : 'Cluster' },
      ...{ singularResource: textOf(one, 'singularResource'), verbs: textsOf(one, 'verbs') },
      ...optional('shortNames', textsOf(one, 'shortNames')),
      ...optional('categories', textsOf(one, 'categories')),
      ...optional('subresources', subresources),
    },
  ];
}

function kindOf(value: unknown): GroupVersionKind {
  return isJSONObject(value)
    ? { group: textOf(value, 'group'), version: textOf(value, 'version'), kind: textOf(value, 'kind') }
    : emptyKind;
}

function objects(value: unknown): JSONObject[] {
  return Array.isArray(value) ? value.filter(isJSONObject) : [];
}

function textOf(from: JSONObject, field: string): string {
  const value = from[field];
  return typeof value === 'string' ? value : '';
}

function textsOf(from: JSONObject, field: string): string[] {
  const value = from[field];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function optional<K extends string, T>(field: K, values: readonly T[]): { [key in K]?: T[] } {
  return values.length === 0 ? {} : ({ [field]: [...values] } as { [key in K]?: T[] });
}
