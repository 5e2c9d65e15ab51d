import { parseIP } from '../../../../api/base/ip-address.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { Client } from '../../../../api/client/client.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import type { Lister } from '../../../../api/client/informer.ts';
import type { ObjectKey } from '../../../../api/meta/object.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';
import { type AddressRange, candidates, canonicalAddress, positionOf } from './address-range.ts';

export interface ClusterIPAllocatorDependencies {
  readonly client: Client;
  /** May lag behind: it only spares attempts. */
  readonly addresses: Lister<IPAddress>;
  readonly random: Random;
  readonly range: AddressRange;
}

/** Why an address cannot be had; the message is part of what the user reads. */
export class AllocationError extends Error {}

/** An address that a Service has now, and whether it got it just now. */
export interface AllocatedAddress {
  readonly address: string;
  readonly isNew: boolean;
}

/**
 * Gives Services addresses by creating IPAddress objects named after them (KEP-1880): whoever creates one first has the
 * address, also among several servers and over restarts.
 */
export interface ClusterIPAllocator {
  /** A particular address. Throws AllocationError. */
  allocate(address: string, service: ObjectKey, dryRun: boolean): Promise<AllocatedAddress>;
  /** Any free address. Throws AllocationError if there is none. */
  allocateNext(service: ObjectKey, dryRun: boolean): Promise<AllocatedAddress>;
  release(address: string): Promise<void>;
  /** Whether an address belongs to this range. */
  contains(address: string): boolean;
}

export const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
export const managedBy = 'ipallocator.k8s.io';
const familyLabel = 'ipaddress.kubernetes.io/ip-family';

export function createClusterIPAllocator({ client, addresses, random, range }: ClusterIPAllocatorDependencies): ClusterIPAllocator {
  const find = (name: string) => client(ipAddresses).get({ namespace: '', name });
  /** Whether the object could be created: false if another one stands there. */
  const claim = async (address: string, service: ObjectKey, dryRun: boolean): Promise<boolean> => {
    try {
      await client(ipAddresses).create(addressObject(address, service), { dryRun });
      return true;
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) return false;
      throw error;
    }
  };
  return {
    contains(address) {
      const parsed = parseIP(address, { leadingZeros: true });
      return parsed !== undefined && positionOf(range, parsed) === 'inside';
    },
    async allocate(text, service, dryRun) {
      const address = canonicalAddress(text);
      const parsed = address === undefined ? undefined : parseIP(address);
      const position = parsed ? positionOf(range, parsed) : 'outside';
      if (address === undefined || position === 'outside')
        throw new AllocationError('the provided network does not match the current range');
      if (position === 'edge')
        throw new AllocationError(`the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`);
      if (await claim(address, service, dryRun)) return { address, isNew: !dryRun };
      // What a server left behind that ended between this step and the writing of the very same Service.
      if (await isLeftover(await ignoreNotFound(find(address)), service, client)) return { address, isNew: false };
      throw new AllocationError('provided IP is already allocated');
    },
    async allocateNext(service, dryRun) {
      for (const address of candidates(range, random)) {
        if (addresses.find({ namespace: '', name: address })) continue;
        if (await claim(address, service, dryRun)) return { address, isNew: !dryRun };
      }
      throw new AllocationError('range is full');
    },
    async release(text) {
      const name = canonicalAddress(text);
      if (name !== undefined) await ignoreNotFound(client(ipAddresses).delete({ namespace: '', name }));
    },
  };
}

async function isLeftover(found: IPAddress | undefined, service: ObjectKey, client: Client): Promise<boolean> {
  const parent = found?.spec?.parentRef;
  const isOwn = parent?.resource === 'services' && !parent.group && parent.namespace === service.namespace && parent.name === service.name;
  return isOwn && (await ignoreNotFound(client(services).get(service))) === undefined;
}

export function addressObject(address: string, { namespace, name }: ObjectKey): IPAddress {
  const family = address.includes(':') ? 'IPv6' : 'IPv4';
  return {
    metadata: { name: address, labels: { [familyLabel]: family, [managedByLabel]: managedBy } },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
}
