import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Clock } from '../../../../api/base/clock.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import type { Client } from '../../../../api/client/client.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import { listAll } from '../../../../api/client/list-pages.ts';
import { keyOf } from '../../../../api/meta/object.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { findTime } from '../../../../api/meta/time.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';
import { canonicalAddress } from './address-range.ts';
import { addressObject, managedBy, managedByLabel } from './cluster-ip-allocator.ts';
import type { NodePortRegistry } from './node-port-registry.ts';
import { occupiedPorts } from './node-ports.ts';

export interface RepairDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodePorts: NodePortRegistry;
}

/** How old an address without Service must be: one that is just being created has its address first. */
const addressGraceMs = 60_000;
/** How often in a row a port must have been found without Service, for the same reason. */
const portRounds = 3;

/**
 * Brings what is allocated in line with the Services there are: what a server left behind that ended between allocating and
 * writing is given back, what Services have without it being registered (restored backups, other servers' data) is taken.
 */
export function createRepair({ client, clock, logger, nodePorts }: RepairDependencies): () => Promise<void> {
  const leaks = new Map<number, number>();
  return async () => {
    const { items: present } = await listAll(client(services));
    await repairAddresses(present, { client, clock, logger });
    await nodePorts.update((taken) => {
      const used = new Set(present.flatMap(occupiedPorts));
      for (const port of used) if (taken.includes(port)) taken.add(port);
      for (const port of leaks.keys()) if (used.has(port) || !taken.has(port)) leaks.delete(port);
      for (const port of taken.all()) if (!used.has(port) && countLeak(leaks, port) >= portRounds) taken.delete(port);
    }, false);
  };
}

function countLeak(leaks: Map<number, number>, port: number): number {
  const count = (leaks.get(port) ?? 0) + 1;
  leaks.set(port, count);
  return count;
}

async function repairAddresses(
  present: readonly DeepReadonly<Service>[],
  { client, clock, logger }: Omit<RepairDependencies, 'nodePorts'>,
): Promise<void> {
  const { items } = await listAll(client(ipAddresses), { labelSelector: `${managedByLabel}=${managedBy}` });
  const registered = new Map(items.map((object) => [object.metadata.name ?? '', object]));
  const owners = new Map<string, DeepReadonly<Service>>();
  for (const service of present) for (const address of addressesOf(service)) owners.set(address, service);
  for (const [address, service] of owners) {
    if (registered.has(address)) continue;
    try {
      await client(ipAddresses).create(addressObject(address, keyOf(service)));
      logger.info('registered the address of a Service', { address, service: keyOf(service) });
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
  }
  for (const [address, object] of registered) {
    const ageMs = clock.nowMs() - (findTime(object.metadata.creationTimestamp) ?? 0);
    if (owners.has(address) || ageMs < addressGraceMs || (await hasService(client, object, address))) continue;
    const { uid } = object.metadata;
    await ignoreNotFound(client(ipAddresses).delete({ namespace: '', name: address }, uid === undefined ? {} : { preconditions: { uid } }));
    logger.info('released an address that no Service has', { address });
  }
}

function addressesOf({ spec }: DeepReadonly<Service>): string[] {
  if (!spec || spec.type === 'ExternalName') return [];
  return (spec.clusterIPs ?? []).flatMap((address) => canonicalAddress(address) ?? []);
}

/** Asked again: the Service may have come since the list. */
async function hasService(client: Client, { spec }: IPAddress, address: string): Promise<boolean> {
  const { namespace = '', name } = spec?.parentRef ?? {};
  if (!name) return false;
  const service = await ignoreNotFound(client(services).get({ namespace, name }));
  return service !== undefined && addressesOf(service).includes(address);
}
