import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { type Clock, sleep } from '../../../../api/base/clock.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import type { Client } from '../../../../api/client/client.ts';
import { type EventRecorder, referenceTo } from '../../../../api/client/events/event-recorder.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import type { Informer } from '../../../../api/client/informers/informer.ts';
import { createWorkQueue, type WorkQueue } from '../../../../api/client/work-queue.ts';
import { formatKey, keyOf, type ObjectKey, parseKey } from '../../../../api/meta/object.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { findTime } from '../../../../api/meta/time.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';
import { addressObject } from './cluster-ip-allocator.ts';
import { addressesOf, addressGraceMs, planAddressRepair, planServiceRepair } from './plan-repair.ts';
import type { ServiceRanges } from './service-ranges.ts';

interface AddressRepairDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  readonly services: Informer<Service>;
  readonly addresses: Informer<IPAddress>;
  readonly ranges: ServiceRanges;
}

/** Brings Services and the addresses that are registered for them in line. */
interface AddressRepair {
  /** Checks all addresses once. The informers must have synced. */
  repairAll(): Promise<void>;
  /** Checks what changes, and everything every few minutes, until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const intervalMs = 180_000;
const maxAttempts = 15;

export function createAddressRepair(dependencies: AddressRepairDependencies): AddressRepair {
  const { clock, logger } = dependencies;
  const repairAll = async () => {
    for (const service of dependencies.services.lister.list()) await repairService(service, dependencies);
    for (const address of dependencies.addresses.lister.list()) await repairAddress(address, dependencies);
  };
  return {
    repairAll,
    async run(signal) {
      const queue = createWorkQueue({ clock });
      const handled = handleAll(queue, dependencies);
      const unfollow = follow(queue, dependencies);
      while (!signal.aborted) {
        await sleep(clock, intervalMs, signal).catch(() => {});
        if (!signal.aborted) addAll(queue, dependencies);
      }
      for (const stop of unfollow) stop();
      queue.shutDown();
      await handled.catch((error: unknown) => logger.error('the addresses of Services are looked at no more', { error }));
    },
  };
}

/** Keys of Services and of addresses share one queue. */
const serviceKey = (service: DeepReadonly<Service>) => `service ${formatKey(keyOf(service))}`;
const addressKey = (address: DeepReadonly<IPAddress>) => `address ${address.metadata.name ?? ''}`;

function addAll(queue: WorkQueue, dependencies: AddressRepairDependencies): void {
  for (const service of dependencies.services.lister.list()) queue.add(serviceKey(service));
  for (const address of dependencies.addresses.lister.list()) queue.add(addressKey(address));
}

function follow(queue: WorkQueue, dependencies: AddressRepairDependencies): (() => void)[] {
  const onService = (service: DeepReadonly<Service>) => queue.add(serviceKey(service));
  const onAddress = (address: DeepReadonly<IPAddress>) => queue.add(addressKey(address));
  /** The Service that had it may have it still. */
  const onDeleted = ({ spec }: DeepReadonly<IPAddress>) => {
    const { namespace = '', name = '' } = spec?.parentRef ?? {};
    const service = dependencies.services.lister.find({ namespace, name });
    if (service) queue.add(serviceKey(service));
  };
  return [
    dependencies.services.addHandler({ onAdd: onService, onUpdate: onService }),
    dependencies.addresses.addHandler({ onAdd: onAddress, onUpdate: onAddress, onDelete: onDeleted }),
  ];
}

async function handleAll(queue: WorkQueue, dependencies: AddressRepairDependencies): Promise<void> {
  for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
    try {
      const againMs = await handle(key, dependencies);
      queue.forget(key);
      if (againMs !== undefined) queue.addAfter(key, againMs);
    } catch (error) {
      if (queue.requeues(key) < maxAttempts) queue.addRateLimited(key);
      else dependencies.logger.warn('an address of a Service could not be repaired', { key, error });
    } finally {
      queue.done(key);
    }
  }
}

async function handle(key: string, dependencies: AddressRepairDependencies): Promise<number | undefined> {
  const [kind = '', name = ''] = key.split(' ');
  if (kind === 'service') {
    const service = dependencies.services.lister.find(parseKey(name));
    if (service) await repairService(service, dependencies);
    return undefined;
  }
  const address = dependencies.addresses.lister.find({ namespace: '', name });
  return address && repairAddress(address, dependencies);
}

async function repairService(service: DeepReadonly<Service>, dependencies: AddressRepairDependencies): Promise<void> {
  const { client, events, ranges } = dependencies;
  for (const address of addressesOf(service)) {
    const key = { namespace: '', name: address };
    // One cache may be behind the other, so a missing object is requested from the API.
    const registered = dependencies.addresses.lister.find(key) ?? (await ignoreNotFound(client(ipAddresses).get(key)));
    const parent = registered?.spec?.parentRef;
    const named = parent?.name ? await findService({ namespace: parent.namespace ?? '', name: parent.name }, dependencies) : undefined;
    const cidrs = ranges.all().map(({ cidr }) => cidr);
    const { action, finding } = planServiceRepair({ service, address, registered, named, ranges: cidrs });
    if (action === 'none' && !finding) continue;
    const current = await ignoreNotFound(client(services).get(keyOf(service)));
    if (!current || !addressesOf(current).includes(address)) continue;
    if (finding) events.event(referenceTo(services, service), 'Warning', finding.reason, finding.message);
    if (action === 'recreate') await ignoreNotFound(client(ipAddresses).delete(key));
    if (action !== 'none') await register(address, keyOf(service), client);
  }
}

async function register(address: string, service: ObjectKey, client: Client): Promise<void> {
  try {
    await client(ipAddresses).create(addressObject(address, service));
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

async function findService(key: ObjectKey, { client, services: informer }: AddressRepairDependencies) {
  return informer.lister.find(key) ?? (await ignoreNotFound(client(services).get(key)));
}

/** Returns after how many milliseconds it is to be looked at again. */
async function repairAddress(address: DeepReadonly<IPAddress>, dependencies: AddressRepairDependencies): Promise<number | undefined> {
  const { client, clock, events } = dependencies;
  const { name = '', uid, creationTimestamp } = address.metadata;
  const parent = address.spec?.parentRef;
  const named = parent?.name ? await findService({ namespace: parent.namespace ?? '', name: parent.name }, dependencies) : undefined;
  const ageMs = clock.nowMs() - (findTime(creationTimestamp) ?? 0);
  const { action, finding } = planAddressRepair(address, named, ageMs);
  if (action === 'none') return named === undefined && ageMs <= addressGraceMs ? addressGraceMs - ageMs + 1 : undefined;
  if (finding) events.event(referenceTo(ipAddresses, address), 'Warning', finding.reason, finding.message);
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  try {
    await ignoreNotFound(client(ipAddresses).delete({ namespace: '', name }, preconditions));
  } catch (error) {
    // Another object has this name by now.
    if (!hasReason(error, 'Conflict')) throw error;
  }
  return undefined;
}
