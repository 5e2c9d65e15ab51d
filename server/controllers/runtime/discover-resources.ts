import type { Client } from '../../../api/client/client.ts';
import { readBody } from '../../../api/client/read-body.ts';
import { responseError } from '../../../api/client/response-error.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { defineResource } from '../../../api/resource/define-resource.ts';
import type { ResourceDefinition, Verb } from '../../../api/resource/resource-definition.ts';
import type { APIGroupList, APIResourceList } from '../../../api/types/meta-v1.ts';

interface DiscoveredResources {
  /** Each resource in its group's preferred version (or the one version that has it), without subresources. */
  readonly resources: readonly ResourceDefinition<KubeObject>[];
  /** Group versions that could not be asked, e.g. of an aggregated API server that is down. */
  readonly failures: readonly { readonly groupVersion: string; readonly error: unknown }[];
}

/** Reads the served resources from the API's discovery, custom resources and aggregated APIs included. */
export async function discoverResources(client: Client, signal: AbortSignal): Promise<DiscoveredResources> {
  const resources = new Map<string, ResourceDefinition<KubeObject>>();
  const failures: { groupVersion: string; error: unknown }[] = [];
  const groups = await getJSON<APIGroupList>(client, '/apis', signal);
  const versions = [{ path: '/api/v1', groupVersion: 'v1' }];
  for (const group of groups.groups) {
    const preferred = group.preferredVersion?.groupVersion;
    const others = group.versions.map((version) => version.groupVersion).filter((version) => version !== preferred);
    for (const groupVersion of preferred === undefined ? others : [preferred, ...others]) {
      versions.push({ path: `/apis/${groupVersion}`, groupVersion });
    }
  }
  const lists = await Promise.allSettled(versions.map(({ path }) => getJSON<APIResourceList>(client, path, signal)));
  for (const [index, list] of lists.entries()) {
    const groupVersion = versions[index]?.groupVersion ?? '';
    if (list.status === 'rejected') {
      failures.push({ groupVersion, error: list.reason });
      continue;
    }
    for (const definition of definitionsOf(groupVersion, list.value)) {
      const id = `${definition.group}/${definition.names.plural}`;
      if (!resources.has(id)) resources.set(id, definition);
    }
  }
  return { resources: [...resources.values()], failures };
}

async function getJSON<R>(client: Client, path: string, signal: AbortSignal): Promise<R> {
  const response = await client.transport({ method: 'GET', path, query: '', headers: { accept: 'application/json' }, signal });
  if (response.status !== 200) throw await responseError(response);
  return JSON.parse(new TextDecoder().decode(await readBody(response.body))) as R;
}

function definitionsOf(groupVersion: string, list: APIResourceList): ResourceDefinition<KubeObject>[] {
  const slash = groupVersion.indexOf('/');
  const group = slash < 0 ? '' : groupVersion.slice(0, slash);
  const version = groupVersion.slice(slash + 1);
  return list.resources
    .filter((resource) => !resource.name.includes('/'))
    .map((resource) =>
      defineResource<KubeObject>({
        group,
        version,
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        names: { kind: resource.kind, plural: resource.name },
        definition: '',
        verbs: resource.verbs as Verb[],
      }),
    );
}
