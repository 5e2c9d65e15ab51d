import type { Clock } from '../../../api/base/clock.ts';
import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { Client } from '../../../api/client/client.ts';
import { type EventRecorder, referenceTo } from '../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { serviceCIDRs } from '../../../api/resources/networking/v1/service-cidr.ts';
import type { ServiceCIDR } from '../../../api/types/networking-v1.ts';
import { defaultServiceCIDR } from './system-objects.ts';

export const serviceCIDRManager = 'kubernetes-service-cidr-controller';

interface DefaultServiceCIDRDependencies {
  readonly client: Client;
  readonly clock: Clock;
  /** The recorder of problems that an administrator has to mend; absent: they are not recorded. */
  readonly events?: EventRecorder;
}

/**
 * Makes sure that the ServiceCIDR `kubernetes` has the ranges of the flags and is ready. If it has others, one event reports that, and only
 * a range of a second family is added. The returned function may be called again.
 */
export function createDefaultServiceCIDR(cidrs: readonly string[], dependencies: DefaultServiceCIDRDependencies): () => Promise<void> {
  const { client, clock, events } = dependencies;
  const wanted = defaultServiceCIDR(cidrs);
  const key = { namespace: '', name: wanted.metadata.name ?? '' };
  const told = new Set<string>();
  const tellOnce = (cidr: ServiceCIDR, reason: string, message: string) => {
    if (told.has(reason)) return;
    told.add(reason);
    events?.event(referenceTo(serviceCIDRs, cidr), 'Warning', reason, message);
  };
  const create = async () => {
    try {
      return await client(serviceCIDRs).create(wanted);
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      return client(serviceCIDRs).get(key);
    }
  };
  return async () => {
    const present = (await ignoreNotFound(client(serviceCIDRs).get(key))) ?? (await create());
    const ranges = present.spec?.cidrs ?? [];
    if (cidrs.length === 2 && ranges.length === 1 && ranges[0] === cidrs[0]) {
      await client(serviceCIDRs).update({ ...present, spec: { cidrs: [...cidrs] } });
      return;
    }
    if (present.metadata.deletionTimestamp) return;
    if (!isSemanticallyEqual(ranges, cidrs)) {
      const message = `The default ServiceCIDR [${ranges.join(' ')}] does not match the controller flag configurations [${cidrs.join(' ')}]`;
      tellOnce(present, 'KubernetesDefaultServiceCIDRInconsistent', message);
      return;
    }
    const ready = findCondition(present.status?.conditions, 'Ready');
    if (ready?.status === 'False') tellOnce(present, ready.reason ?? '', `Configuration matches, but ${ready.message}`);
    if (ready === undefined || ready.status === 'Unknown') await applyReady(client, clock, key.name);
  };
}

async function applyReady(client: Client, clock: Clock, name: string): Promise<void> {
  const condition = {
    type: 'Ready',
    status: 'True',
    message: 'Kubernetes default Service CIDR is ready',
    lastTransitionTime: formatTime(clock.nowMs()),
  };
  const body = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, status: { conditions: [condition] } };
  const options = { fieldManager: serviceCIDRManager, force: true, subresource: 'status' };
  await client(serviceCIDRs).patch({ namespace: '', name }, { type: 'apply', body }, options);
}
