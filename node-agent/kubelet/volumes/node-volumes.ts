import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type { CSIDriver } from '../../../api/types/storage-v1.ts';
import { createBlockDevices } from '../../linux/mounts/block-devices.ts';
import { type CSIDriversDependencies, createCSIDrivers } from '../../plugins/csi/csi-drivers.ts';
import { createCSINodeKeeper } from '../../plugins/csi/csi-node.ts';
import { createClaimedVolumes } from './claimed-volumes.ts';
import { createCSIVolumes } from './csi-volumes.ts';
import { createLocalVolumes } from './local-volumes.ts';
import { createPodVolumes, type PodVolumes, type PodVolumesDependencies } from './pod-volumes.ts';

interface NodeVolumesDependencies extends Omit<PodVolumesDependencies, 'claimed' | 'csi' | 'local'> {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly node: () => DeepReadonly<Node> | undefined;
  readonly csiDrivers: Lister<CSIDriver>;
  readonly meetOther?: NonNullable<CSIDriversDependencies['meetOther']>;
}

/** The volumes on one node. */
export interface NodeVolumes {
  readonly pods: PodVolumes;
  /** The volumes of `node.status.volumesInUse`. */
  inUse(): Promise<string[]>;
  /** Meets storage drivers until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

const retryMs = 1000;

export function createNodeVolumes(dependencies: NodeVolumesDependencies): NodeVolumes {
  const { client, clock, logger, nodeName, mounts, paths, files } = dependencies;
  const keeper = createCSINodeKeeper({ client, clock, nodeName });
  const drivers = createCSIDrivers({ ...dependencies, announce: keeper.announce, withdraw: keeper.withdraw });
  const csi = createCSIVolumes({
    ...dependencies,
    drivers,
    driverObject: (name) => dependencies.csiDrivers.find({ namespace: '', name }),
  });
  const local = createLocalVolumes({ ...dependencies, devices: createBlockDevices() });
  const claimed = createClaimedVolumes({ ...dependencies, csi, local });
  return {
    pods: createPodVolumes({ ...dependencies, claimed, csi, local }),
    inUse: () => csi.inUse(),
    async run(signal) {
      await files.makeDirectory(paths.plugins, { mode: 0o750 });
      // CSI drivers are mostly Pods: the node must see their mounts.
      await mounts.makeShared(paths.plugins);
      while (!signal.aborted) {
        try {
          await keeper.ensure();
          break;
        } catch (error) {
          logger.debug('the CSINode cannot be written yet', { error });
          await sleep(clock, retryMs, signal).catch(() => undefined); // aborted: seen by the loop
        }
      }
      await drivers.run(signal);
    },
  };
}
