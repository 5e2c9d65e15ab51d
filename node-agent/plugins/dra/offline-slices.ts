import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';

interface OfflineSlicesDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly isRegistered: (driver: string) => boolean;
}

/** Deletes the ResourceSlices of drivers that are no longer on this node, so that no Pod is scheduled for their devices. */
export interface OfflineSlices {
  /** Drivers that do not come within some time after the start of the agent are gone. */
  start(): void;
  driverGone(driver: string): void;
  stop(): void;
}

/** The time that a driver may need to be there again, e.g. when it is updated. */
const graceMs = 30_000;

export function createOfflineSlices({ client, clock, logger, nodeName, isRegistered }: OfflineSlicesDependencies): OfflineSlices {
  /** By driver; '' for all that have not come. */
  const timers = new Map<string, Timer>();
  let isStopped = false;
  const look = async (driver: string) => {
    const ofNode = `spec.nodeName=${nodeName}`;
    const { items } = await client(resourceSlices).list({ fieldSelector: ofNode });
    for (const published of new Set(items.map(({ spec }) => spec.driver))) {
      if (isRegistered(published) || (driver !== '' && published !== driver) || (driver === '' && timers.has(published))) continue;
      await client(resourceSlices).deleteCollection({ fieldSelector: `${ofNode},spec.driver=${published}` });
      logger.info('devices of a driver that is gone are offered no more', { driver: published });
    }
  };
  const schedule = (driver: string) => {
    timers.get(driver)?.cancel();
    const fire = () => {
      timers.delete(driver);
      look(driver).catch((error: unknown) => {
        logger.warn('devices of drivers that are gone cannot be taken back yet', { error });
        if (!isStopped) schedule(driver);
      });
    };
    timers.set(driver, clock.setTimer(graceMs, fire, { background: true }));
  };
  return {
    start: () => schedule(''),
    driverGone: (driver) => !isStopped && schedule(driver),
    stop() {
      isStopped = true;
      for (const timer of timers.values()) timer.cancel();
    },
  };
}
