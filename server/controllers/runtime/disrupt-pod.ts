import type { Client } from '../../../api/client/client.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { keyOf } from '../../../api/meta/object.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod } from '../../../api/types/core-v1.ts';

interface Disruption {
  readonly reason: string;
  readonly message: string;
  readonly now: string;
  /** The Pod cannot end by itself any more, so its phase is set too. */
  readonly markFailed: boolean;
}

/**
 * Writes a DisruptionTarget condition on a Pod that is about to be deleted, so that Jobs can distinguish this from a failure of the Pod
 * itself (KEP-3329).
 */
export async function markDisrupted(
  client: Client,
  pod: DeepReadonly<Pod>,
  { reason, message, now, markFailed }: Disruption,
): Promise<void> {
  const condition = { type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime: now };
  const status = { conditions: [condition], ...(markFailed ? { phase: 'Failed' } : {}) };
  const body = { metadata: { uid: pod.metadata.uid }, status };
  await ignoreNotFound(client(pods).patch(keyOf(pod), { type: 'strategic', body }, { subresource: 'status' }));
}
