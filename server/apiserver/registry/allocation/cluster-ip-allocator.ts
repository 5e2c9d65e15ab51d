import { parseIP } from '../../../../api/base/ip-address.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { Client } from '../../../../api/client/client.ts';
import { ignoreNotFound } from '../../../../api/client/ignore-not-found.ts';
import type { Lister } from '../../../../api/client/informers/informer.ts';
import type { ObjectKey } from '../../../../api/meta/object.ts';
import { hasReason } from '../../../../api/meta/status.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { addressFamilyLabel, addressManager, addressManagerLabel } from '../../../../api/semantics/services/service-cidrs.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';
import { type AddressRange, candidates, canonicalAddress, positionOf } from './address-range.ts';
import type { ServiceRanges } from './service-ranges.ts';

interface ClusterIPAllocatorDependencies {
  readonly client: Client;
  /** May lag behind: it only spares attempts. */
  readonly addresses: Lister<IPAddress>;
  readonly random: Random;
  readonly version: 4 | 6;
  readonly ranges: ServiceRanges;
}

/** The error for an address that is not available; its message is part of the answer to the user. */
export class AllocationError extends Error {}

/** An address that a Service has now, and whether it got it just now. */
interface AllocatedAddress {
  readonly address: string;
  readonly isNew: boolean;
}

/**
 * Allocates addresses to Services by creating IPAddress objects named after them (KEP-1880): the first one to create the object gets the
 * address, also among several servers and across restarts.
 */
export interface ClusterIPAllocator {
  /** A particular address. Throws AllocationError. */
  allocate(address: string, service: ObjectKey, dryRun: boolean): Promise<AllocatedAddress>;
  /** Any free address. Throws AllocationError if there is none. */
  allocateNext(service: ObjectKey, dryRun: boolean): Promise<AllocatedAddress>;
  release(address: string): Promise<void>;
}

export function createClusterIPAllocator(dependencies: ClusterIPAllocatorDependencies): ClusterIPAllocator {
  const { client, addresses, random, version, ranges } = dependencies;
  const find = (name: string) => client(ipAddresses).get({ namespace: '', name });
  const ofVersion = (all: readonly AddressRange[]) => all.filter((range) => range.version === version);
  /** The result of `choose` among the ranges; they are read again before the search gives up. */
  const search = async <T>(choose: (range: AddressRange) => Promise<T | undefined> | T | undefined): Promise<T | undefined> => {
    for (const read of [() => ranges.ready(), () => ranges.readAgain()]) {
      for (const range of ofVersion(await read())) {
        const found = await choose(range);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
  /** Creates the object; false if it exists already. */
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
    async allocate(text, service, dryRun) {
      const address = canonicalAddress(text);
      const parsed = address === undefined ? undefined : parseIP(address);
      const isThere = parsed && (await search((range) => (positionOf(range, parsed) === 'inside' ? range : undefined)));
      if (address === undefined || !isThere) throw new AllocationError('the provided network does not match the current range');
      if (await claim(address, service, dryRun)) return { address, isNew: !dryRun };
      // A leftover of a server that ended between this step and the writing of the very same Service.
      if (await isLeftover(await ignoreNotFound(find(address)), service, client)) return { address, isNew: false };
      throw new AllocationError('provided IP is already allocated');
    },
    async allocateNext(service, dryRun) {
      const address = await search(async (range) => {
        for (const candidate of candidates(range, random)) {
          if (addresses.find({ namespace: '', name: candidate })) continue;
          if (await claim(candidate, service, dryRun)) return candidate;
        }
        return undefined;
      });
      if (address === undefined) throw new AllocationError('range is full');
      return { address, isNew: !dryRun };
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
    metadata: { name: address, labels: { [addressFamilyLabel]: family, [addressManagerLabel]: addressManager } },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
}
