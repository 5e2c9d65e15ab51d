import type { Client } from '../../../api/client/client.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { defineResource } from '../../../api/resource/define-resource.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { APIResourceList } from '../../../api/types/meta-v1.ts';
import { readJSON } from './read-json.ts';

interface FoundResource {
  readonly resource: ResourceDefinition<KubeObject>;
  /** The names of its subresources. */
  readonly subresources: readonly string[];
}

/** The resource of a kind, as discovery has it. Throws in upstream's words where there is none. */
export async function findResource(
  client: Client,
  { apiVersion = 'v1', kind }: { readonly apiVersion?: string; readonly kind: string },
  signal: AbortSignal,
): Promise<FoundResource> {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const list = await readJSON<APIResourceList>(client, path, new URLSearchParams(), signal).catch((error: unknown) => {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  });
  const found = list?.resources.find((resource) => resource.kind === kind && !resource.name.includes('/'));
  if (!list || !found) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
  const prefix = `${found.name}/`;
  return {
    resource: defineResource<KubeObject>({
      group: group ?? '',
      version: version ?? '',
      scope: found.namespaced ? 'Namespaced' : 'Cluster',
      names: { kind, plural: found.name },
      definition: '',
    }),
    subresources: list.resources.flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])),
  };
}
