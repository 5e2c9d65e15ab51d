import { type Clock, sleep } from '../../../../api/base/clock.ts';
import type { Logger } from '../../../../api/base/logger.ts';
import type { Random } from '../../../../api/base/random.ts';
import type { Client } from '../../../../api/client/client.ts';
import { createEventRecorder } from '../../../../api/client/events/event-recorder.ts';
import type { InformerFactory } from '../../../../api/client/informers/informer.ts';
import { services } from '../../../../api/resources/core/v1/service.ts';
import { ipAddresses } from '../../../../api/resources/networking/v1/ip-address.ts';
import { serviceCIDRs } from '../../../../api/resources/networking/v1/service-cidr.ts';
import type { Storage } from '../../../storage/storage.ts';
import type { RegistryHooks } from '../hooks.ts';
import { parseAddressRange } from './address-range.ts';
import { createClusterIPAllocator } from './cluster-ip-allocator.ts';
import { createNodePortRegistry } from './node-port-registry.ts';
import { defaultNodePortRange, type PortRange } from './port-set.ts';
import { createAddressRepair } from './repair-addresses.ts';
import { createNodePortRepair } from './repair-node-ports.ts';
import { createServiceHooks } from './service-hooks.ts';
import { createServiceRanges } from './service-ranges.ts';

interface ServiceAllocationDependencies {
  readonly client: Client;
  readonly storage: Storage;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * The cluster's own ranges, one or two. They define the address families; the first one's is the default. Addresses come from all
   * ServiceCIDRs.
   */
  readonly serviceCIDRs: readonly string[];
  /** Default 30000-32767. */
  readonly nodePortRange?: PortRange;
}

interface ServiceAllocation {
  readonly hooks: RegistryHooks;
  /** Repairs allocations once, by comparing them with the Services. No requests should be served before it resolves. */
  start(): Promise<void>;
  /** Repairs until the signal is aborted: addresses with every change, node ports every few minutes. */
  run(signal: AbortSignal): Promise<void>;
}

const repairIntervalMs = 180_000;

/** All that gives Services their cluster addresses and node ports. */
export function createServiceAllocation(dependencies: ServiceAllocationDependencies): ServiceAllocation {
  const { client, storage, informers, clock, random, logger } = dependencies;
  const addresses = informers.informer(ipAddresses);
  const ranges = createServiceRanges(client, informers.informer(serviceCIDRs).lister);
  const allocators = new Map(
    dependencies.serviceCIDRs
      .map((cidr) => parseAddressRange(cidr).version)
      .map((version) => [`IPv${version}`, createClusterIPAllocator({ client, addresses: addresses.lister, random, version, ranges })]),
  );
  const nodePorts = createNodePortRegistry(storage, dependencies.nodePortRange ?? defaultNodePortRange);
  const recorder = (component: string) => createEventRecorder({ client, clock, logger, component });
  const events = recorder('ipallocator-repair-controller');
  const present = informers.informer(services);
  const addressRepair = createAddressRepair({ client, clock, logger, events, services: present, addresses, ranges });
  const portRepair = createNodePortRepair({ client, events: recorder('portallocator-repair-controller'), nodePorts });
  const attempt = (what: string, work: () => Promise<void>) =>
    work().catch((error: unknown) => logger.warn(`${what} could not be compared with the Services`, { error }));
  const repairPortsLater = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await sleep(clock, repairIntervalMs, signal).catch(() => {});
      if (!signal.aborted) await attempt('node ports', portRepair);
    }
  };
  return {
    hooks: createServiceHooks({ client, random, logger, allocators, nodePorts }),
    async start() {
      await Promise.all([attempt('addresses', addressRepair.repairAll), attempt('node ports', portRepair)]);
    },
    async run(signal) {
      await Promise.all([addressRepair.run(signal), repairPortsLater(signal)]);
    },
  };
}
