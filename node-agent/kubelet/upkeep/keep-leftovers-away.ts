import { sleep } from '../../../api/base/clock.ts';
import { type LeftoverDependencies, removeLeftovers } from './remove-leftovers.ts';

const intervalMs = 30_000;
const retryMs = 3000;

/**
 * Removes the remains of deleted Pods, at once and then periodically, until the signal is aborted: an agent or a runtime may have been
 * killed while it removed one.
 */
export async function keepLeftoversAway(dependencies: LeftoverDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger } = dependencies;
  while (!signal.aborted) {
    let pauseMs = retryMs;
    try {
      if ((await removeLeftovers(dependencies)).isComplete) pauseMs = intervalMs;
    } catch (error) {
      logger.warn('what is left of deleted Pods cannot be looked for', { error });
    }
    await sleep(clock, pauseMs, signal).catch(() => undefined); // aborted
  }
}
