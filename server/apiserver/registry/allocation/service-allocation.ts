import { type Clock, sleep } from '../../../../api/base/clock.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { Client } from '../../../../api/client/client.ts';
import type { Lister } from '../../../../api/client/informer.ts';
import type { IPAddress } from '../../../../api/types/networking-v1.ts';
import type { Storage } from '../../../storage/storage.ts';
import type { RegistryHooks } from '../hooks.ts';
import { parseAddressRange } from './address-range.ts';
import { createClusterIPAllocator } from './cluster-ip-allocator.ts';
import { createNodePortRegistry } from './node-port-registry.ts';
import { defaultNodePortRange, type PortRange } from './port-set.ts';
import { createRepair } from './repair.ts';
import { createServiceHooks } from './service-hooks.ts';

export interface ServiceAllocationDependencies {
  readonly client: Client;
  readonly storage: Storage;
  readonly addresses: Lister<IPAddress>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ranges of cluster addresses; the first one's family is the cluster's. */
  readonly serviceCIDRs: readonly string[];
  /** Default 30000-32767. */
  readonly nodePortRange?: PortRange;
}

export interface ServiceAllocation {
  readonly hooks: RegistryHooks;
  /**
   * Compares what is allocated with the Services there are, and goes on doing so every few minutes until the signal is
   * aborted. Resolves after the first time, before which nobody should be served.
   */
  start(signal: AbortSignal): Promise<void>;
}

const repairIntervalMs = 180_000;

/** All that gives Services their cluster addresses and node ports. */
export function createServiceAllocation(dependencies: ServiceAllocationDependencies): ServiceAllocation {
  const { client, storage, addresses, clock, random, logger } = dependencies;
  const ranges = dependencies.serviceCIDRs.map(parseAddressRange);
  const allocators = new Map(
    ranges.map((range) => [`IPv${range.version}`, createClusterIPAllocator({ client, addresses, random, range })]),
  );
  const nodePorts = createNodePortRegistry(storage, dependencies.nodePortRange ?? defaultNodePortRange);
  const repair = createRepair({ client, clock, logger, nodePorts });
  const repairOnce = () =>
    repair().catch((error: unknown) => logger.warn('addresses and node ports could not be compared with the Services', { error }));
  const repairLater = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await sleep(clock, repairIntervalMs, signal).catch(() => {});
      if (!signal.aborted) await repairOnce();
    }
  };
  return {
    hooks: createServiceHooks({ client, random, logger, allocators, nodePorts }),
    async start(signal) {
      await repairOnce();
      void repairLater(signal);
    },
  };
}
