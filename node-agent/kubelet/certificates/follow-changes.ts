import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';

export interface FollowDependencies {
  readonly files: Pick<HostFiles, 'findText' | 'changes'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A change that the kernel does not report is seen after this time. */
const pollMs = 60_000;
/** In which the writer of several files gets through. */
const settleMs = 200;
const retryMs = 2000;

/**
 * Calls `look` at once, after each change in one of the folders, and every minute, until the signal is aborted. If it rejects, it is called
 * again: a certificate may have been replaced and its key not yet. Never rejects.
 */
export async function followChanges(
  folders: readonly string[],
  look: () => Promise<void>,
  { files, clock, logger }: FollowDependencies,
  signal: AbortSignal,
): Promise<void> {
  let wake = new AbortController();
  const watch = async (folder: string) => {
    try {
      for await (const _name of files.changes(folder, signal)) wake.abort();
    } catch (error) {
      logger.debug('a folder cannot be watched, it is looked at every minute', { folder, error });
    }
  };
  for (const folder of new Set(folders)) void watch(folder);
  let pauseMs = 0;
  while (!signal.aborted) {
    await sleep(clock, pauseMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined); // aborted or woken
    wake = new AbortController();
    await sleep(clock, settleMs, signal).catch(() => undefined); // aborted
    if (signal.aborted) return;
    pauseMs = pollMs;
    try {
      await look();
    } catch (error) {
      pauseMs = retryMs;
      logger.warn('changed certificates cannot be used yet', { folders, error });
    }
  }
}
