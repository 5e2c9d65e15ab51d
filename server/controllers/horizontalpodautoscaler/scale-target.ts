import type { Client } from '../../../api/client/client.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import type { CrossVersionObjectReference } from '../../../api/types/autoscaling-v2.ts';
import { findResource } from '../runtime/find-resource.ts';

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
  const resource = client((await findResource(client, reference, signal)).resource);
  const key = { namespace, name: reference.name };
  const scale = await resource.getSubresource<Scale>(key, 'scale', { signal });
  return {
    scale,
    async resize(replicas) {
      await resource.updateSubresource<Scale>(key, 'scale', { ...scale, spec: { ...scale.spec, replicas } }, { signal });
    },
  };
}
