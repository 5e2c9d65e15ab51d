import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Client } from '../../../api/client/client.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatMicroTime } from '../../../api/meta/time.ts';
import { leases } from '../../../api/resources/coordination/v1/lease.ts';
import type { Lease } from '../../../api/types/coordination-v1.ts';
import type { OwnerReference } from '../../../api/types/meta-v1.ts';

const leaseNamespace = 'kube-node-lease';
const durationSeconds = 40;
const renewMs = 10_000;
const retryMs = 1000;

interface NodeLeaseDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** The Node that the lease belongs to, when it is known. */
  readonly owner: () => OwnerReference | undefined;
}

/** Renews the node's Lease every 10 s (KEP-589), until the signal is aborted. */
export async function keepNodeLease(dependencies: NodeLeaseDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger } = dependencies;
  let present: Lease | undefined;
  while (!signal.aborted) {
    let pauseMs = renewMs;
    try {
      present = await renew(dependencies, present, signal);
    } catch (error) {
      if (signal.aborted) return;
      present = undefined; // whatever it was, the next try starts from what the server has
      pauseMs = retryMs;
      if (!hasReason(error, 'Conflict')) logger.warn('the lease of the node could not be renewed', { error });
    }
    await sleep(clock, pauseMs, signal).catch(() => undefined); // aborted
  }
}

async function renew(
  { client, clock, nodeName, owner }: NodeLeaseDependencies,
  present: Lease | undefined,
  signal: AbortSignal,
): Promise<Lease> {
  const key = { namespace: leaseNamespace, name: nodeName };
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: durationSeconds, renewTime: formatMicroTime(clock.nowMs()) };
  const ownerReferences = owner();
  const withOwner = ownerReferences ? { ownerReferences: [ownerReferences] } : {};
  let base = present;
  if (!base) {
    try {
      base = await client(leases).get(key, { signal });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      return client(leases).create({ metadata: { ...key, ...withOwner }, spec }, { signal });
    }
  }
  return client(leases).update({ ...base, metadata: { ...base.metadata, ...withOwner }, spec: { ...base.spec, ...spec } }, { signal });
}
