import type { Client } from '../../../api/client/client.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { defineResource } from '../../../api/resource/define-resource.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import type { CrossVersionObjectReference } from '../../../api/types/autoscaling-v2.ts';
import type { APIResourceList } from '../../../api/types/meta-v1.ts';
import { readJSON } from '../runtime/read-json.ts';

/** The resource of a kind, as discovery has it. */
export async function findResource(
  client: Client,
  { apiVersion = 'v1', kind }: DeepReadonly<CrossVersionObjectReference>,
  signal: AbortSignal,
): Promise<ResourceDefinition<KubeObject>> {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const list = await readJSON<APIResourceList>(client, path, new URLSearchParams(), signal).catch((error: unknown) => {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  });
  const found = list?.resources.find((resource) => resource.kind === kind && !resource.name.includes('/'));
  if (!found) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
  return defineResource<KubeObject>({
    group: group ?? '',
    version: version ?? '',
    scope: found.namespaced ? 'Namespaced' : 'Cluster',
    names: { kind, plural: found.name },
    definition: '',
  });
}

export interface ScaleTarget {
  readonly scale: Scale;
  resize(replicas: number): Promise<void>;
}

/** The present scale of the target. Throws in upstream's words. */
export async function readScaleTarget(
  client: Client,
  namespace: string,
  reference: DeepReadonly<CrossVersionObjectReference>,
  signal: AbortSignal,
): Promise<ScaleTarget> {
  const resource = client(await findResource(client, reference, signal));
  const key = { namespace, name: reference.name };
  const scale = await resource.getSubresource<Scale>(key, 'scale', { signal });
  return {
    scale,
    async resize(replicas) {
      await resource.updateSubresource<Scale>(key, 'scale', { ...scale, spec: { ...scale.spec, replicas } }, { signal });
    },
  };
}
