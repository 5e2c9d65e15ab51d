import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { Clock } from '../../../api/base/clock.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { type GroupVersionPriority, groupVersionPriorities } from '../served/group-priorities.ts';

/** The APIService of a group version that this server itself serves. */
function localAPIService({ group, version, groupPriority, versionPriority }: GroupVersionPriority): APIService {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { ...(group === '' ? {} : { group }), version, groupPriorityMinimum: groupPriority, versionPriority },
  };
}

/** Registers what is built in, as available. */
export async function ensureLocalAPIServices(client: Client, clock: Clock): Promise<void> {
  const wanted = groupVersionPriorities.filter(({ group }) => group !== 'apiregistration.k8s.io').map(localAPIService);
  await Promise.all(wanted.map((service) => ensureOne(client, clock, service)));
}

async function ensureOne(client: Client, clock: Clock, wanted: APIService): Promise<void> {
  const present = await ignoreNotFound(client(apiServices).get({ namespace: '', name: wanted.metadata.name ?? '' }));
  if (present) return;
  try {
    const created = await client(apiServices).create(wanted);
    const lastTransitionTime = formatTime(clock.nowMs());
    const condition = {
      type: 'Available',
      status: 'True',
      lastTransitionTime,
      reason: 'Local',
      message: 'Local APIServices are always available',
    };
    await client(apiServices).updateStatus({ ...created, status: { conditions: [condition] } });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists') && !hasReason(error, 'Conflict')) throw error;
  }
}
