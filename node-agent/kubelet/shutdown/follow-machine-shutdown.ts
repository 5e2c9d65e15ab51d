import { createBackoff } from '../../../api/base/backoff.ts';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import type { LoginManager, ShutdownLock } from '../../linux/machine/login-manager.ts';
import type { NodeShutdown } from './node-shutdown.ts';
import { type ShutdownPeriods, totalSeconds } from './shutdown-periods.ts';

interface MachineShutdownDependencies {
  readonly login: LoginManager;
  readonly shutdown: Pick<NodeShutdown, 'shutDown' | 'cancel'>;
  readonly periods: ShutdownPeriods;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The seconds that the lock is held beyond the Pods' time, to kill those that have not ended and to write their statuses. */
const reserveSeconds = 5;
const retries = { initialMs: 1000, maxMs: 60_000 };

/**
 * Delays the shutdown of the machine until all Pods have ended in order, within their grace periods (KEP-2000). Runs until the signal is
 * aborted; returns at once if Pods have no time or no login manager announces shutdowns.
 */
export async function followMachineShutdown(dependencies: MachineShutdownDependencies, signal: AbortSignal): Promise<void> {
  const { login, periods, clock, random, logger } = dependencies;
  if (periods.length === 0) return;
  if (!(await login.isPresent())) {
    logger.warn('Pods are not ended in order when the machine goes down: no systemd-logind tells of it');
    return;
  }
  const backoff = createBackoff(retries, random);
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    try {
      await ensureDelay(dependencies);
      await followOnce(dependencies, signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('shutdowns of the machine cannot be followed; trying again', { error });
      if (clock.monotonicMs() - startedMs > retries.maxMs) backoff.reset();
      await sleep(clock, backoff.nextMs(), signal).catch(() => undefined); // aborted
    }
  }
}

async function ensureDelay({ login, periods, logger }: MachineShutdownDependencies): Promise<void> {
  const wanted = totalSeconds(periods) + reserveSeconds;
  if ((await login.maxDelaySeconds()) >= wanted) return;
  await login.raiseMaxDelay(wanted);
  const granted = await login.maxDelaySeconds();
  if (granted >= wanted) return;
  logger.warn(
    `node shutdown manager was unable to update logind InhibitDelayMaxSec to ${wanted}s (ShutdownGracePeriod), current value of InhibitDelayMaxSec (${granted}s) is less than requested ShutdownGracePeriod`,
  );
}

async function followOnce({ login, shutdown, periods, logger }: MachineShutdownDependencies, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  let lock: ShutdownLock | undefined;
  let hasEnded = false;
  let handled = Promise.resolve();
  const failed = new Promise<never>((_resolve, reject) => {
    const onPrepare = async (isStarting: boolean) => {
      if (isStarting && !hasEnded) {
        hasEnded = true;
        logger.warn('the machine goes down: ending the Pods', { seconds: totalSeconds(periods) });
        await shutdown.shutDown(periods).catch((error: unknown) => logger.error('Pods could not be ended in order', { error }));
        lock?.release();
        lock = undefined;
      }
      if (!isStarting) {
        hasEnded = false;
        shutdown.cancel();
        lock ??= await login.lock(reject);
      }
    };
    // Handles one announcement after the other; after a failure everything begins anew.
    const handle = (isStarting: boolean) => {
      handled = handled.then(() => onPrepare(isStarting)).catch(reject);
    };
    const begin = async () => {
      lock = await login.lock(reject);
      // A shutdown that had begun before anybody listened.
      if (await login.isPreparing()) handle(true);
    };
    login.watch(handle, AbortSignal.any([signal, stop.signal])).catch(reject);
    begin().catch(reject);
  });
  try {
    await Promise.race([failed, untilAborted(signal)]);
  } finally {
    stop.abort();
    await handled;
    lock?.release();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
