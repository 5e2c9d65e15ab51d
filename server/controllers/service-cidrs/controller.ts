import { referenceTo } from '../../../api/client/events/event-recorder.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import { findTime, formatTime } from '../../../api/meta/time.ts';
import { ipAddresses } from '../../../api/resources/networking/v1/ip-address.ts';
import { serviceCIDRs } from '../../../api/resources/networking/v1/service-cidr.ts';
import { addressManager, addressManagerLabel, holdersOf, rangesOverlap } from '../../../api/semantics/services/service-cidrs.ts';
import type { IPAddress, ServiceCIDR } from '../../../api/types/networking-v1.ts';
import {
  type ControllerDependencies,
  type ControllerSetup,
  defineController,
  done,
  requeueAfterSeconds,
} from '../runtime/define-controller.ts';
import { isRemovable } from './is-removable.ts';
import { rules } from './rbac.ts';

const name = 'service-cidr-controller';
const finalizer = 'networking.k8s.io/service-cidr-finalizer';
/** API servers may still give addresses from a range that is being deleted, until they have seen that it is. */
const graceMs = 10_000;

/** Declares ServiceCIDRs ready, and keeps them from being deleted while Services have addresses from nowhere else. */
export const serviceCIDRController = defineController({
  name,
  account: 'service-cidrs-controller',
  for: serviceCIDRs,
  watches: [{ attach: followOthers }],
  rules,
  async reconcile(key, dependencies) {
    const cidr = dependencies.lister(serviceCIDRs).find(key);
    if (cidr === undefined) return done;
    if (cidr.metadata.deletionTimestamp) return removeWhenUnused(cidr, cidr.metadata.deletionTimestamp, dependencies);
    const { client, events } = dependencies;
    if (!cidr.metadata.finalizers?.includes(finalizer))
      await ignoreNotFound(client(serviceCIDRs).patch(key, { type: 'strategic', body: { metadata: { finalizers: [finalizer] } } }));
    if (cidr.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return done;
    try {
      await applyReady(cidr, { status: 'True', message: 'Kubernetes Service CIDR is ready' }, dependencies);
    } catch (error) {
      const message = 'The ServiceCIDR Status can not be set to Ready=True';
      events.event(referenceTo(serviceCIDRs, cidr), 'Warning', 'KubernetesServiceCIDRError', message);
      throw error;
    }
    return done;
  },
});

/** Follows the other objects that decide whether a range can go: ranges around it, and addresses in it. */
function followOthers({ informer, lister, enqueue }: ControllerSetup): void {
  const overlapping = ({ metadata, spec }: DeepReadonly<ServiceCIDR>) => {
    const own = spec?.cidrs ?? [];
    for (const other of lister(serviceCIDRs).list()) {
      const isConcerned = (other.spec?.cidrs ?? []).some((range) => own.some((one) => rangesOverlap(one, range)));
      if (isConcerned && other.metadata.name !== metadata.name) enqueue({ namespace: '', name: other.metadata.name ?? '' });
    }
  };
  const holding = ({ metadata }: DeepReadonly<IPAddress>) => {
    if (metadata.labels?.[addressManagerLabel] !== addressManager) return;
    const leaving = holdersOf(lister(serviceCIDRs).list(), metadata.name ?? '').filter((one) => one.metadata.deletionTimestamp);
    for (const holder of leaving) enqueue({ namespace: '', name: holder.metadata.name ?? '' });
  };
  informer(serviceCIDRs).addHandler({ onAdd: overlapping, onUpdate: overlapping, onDelete: overlapping });
  informer(ipAddresses).addHandler({ onAdd: holding, onDelete: holding });
}

async function removeWhenUnused(cidr: DeepReadonly<ServiceCIDR>, deletedAt: string, dependencies: ControllerDependencies) {
  const { lister, clock, client } = dependencies;
  const given = lister(ipAddresses).list({ matches: ({ metadata }) => metadata.labels?.[addressManagerLabel] === addressManager });
  const addresses = given.map(({ metadata }) => metadata.name ?? '');
  if (!isRemovable(cidr, lister(serviceCIDRs).list(), addresses)) {
    const message = 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR';
    const present = cidr.status?.conditions?.find(({ type }) => type === 'Ready');
    if (present?.status !== 'False' || present.message !== message)
      await applyReady(cidr, { status: 'False', reason: 'Terminating', message }, dependencies);
    return done;
  }
  const leftMs = graceMs - (clock.nowMs() - (findTime(deletedAt) ?? 0));
  if (leftMs > 0) return requeueAfterSeconds(leftMs / 1000);
  const { finalizers = [], resourceVersion } = cidr.metadata;
  if (!finalizers.includes(finalizer)) return done;
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== finalizer) } };
  await ignoreNotFound(client(serviceCIDRs).patch({ namespace: '', name: cidr.metadata.name ?? '' }, { type: 'merge', body }));
  return done;
}

interface Readiness {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message: string;
}

async function applyReady(
  { metadata }: DeepReadonly<ServiceCIDR>,
  ready: Readiness,
  { client, clock }: ControllerDependencies,
): Promise<void> {
  const condition = { type: 'Ready', ...ready, lastTransitionTime: formatTime(clock.nowMs()) };
  const body = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: metadata.name },
    status: { conditions: [condition] },
  };
  const key = { namespace: '', name: metadata.name ?? '' };
  const options = { fieldManager: name, force: true, subresource: 'status' };
  await ignoreNotFound(client(serviceCIDRs).patch(key, { type: 'apply', body }, options));
}
