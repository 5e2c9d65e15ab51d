import { type Clock, sleep } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Client } from '../../api/client/client.ts';
import { findTime } from '../../api/meta/time.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import type { PKIContents, PKIFiles } from '../pki/pki-files.ts';
import { findRotation, planFinish } from '../pki/rotate-authorities.ts';
import { findBlockers } from '../pki/rotation-blockers.ts';

interface DropDependencies {
  readonly files: PKIFiles;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

const intervalMs = 60_000;

/** Drops the old authority of a rotation at the time that was set for that, once no node uses it. Never rejects. */
export async function dropInTime(dependencies: DropDependencies, signal: AbortSignal): Promise<void> {
  const { clock, logger } = dependencies;
  while (!signal.aborted) {
    await sleep(clock, intervalMs, signal).catch(() => undefined); // aborted
    if (signal.aborted) return;
    await dropIfDue(dependencies).catch((error: unknown) => logger.error('the old authority could not be dropped', { error }));
  }
}

/** Whether it was dropped. */
export async function dropIfDue({ files, client, clock, logger }: DropDependencies): Promise<boolean> {
  if (!isDue(await files.readAll(), clock.nowMs())) return false;
  const { items } = await client(nodes).list();
  return await files.exclusively(async (held) => {
    const contents = await held.readAll();
    if (!isDue(contents, clock.nowMs())) return false;
    const blockers = findBlockers(items, contents);
    if (blockers.length > 0) {
      logger.warn('the old authority is not dropped yet, nodes would be locked out', { nodes: blockers });
      return false;
    }
    await held.commit(planFinish(contents));
    logger.info('the old authority is not trusted any more');
    return true;
  });
}

function isDue(contents: PKIContents, nowMs: number): boolean {
  const rotation = findRotation(contents);
  const dueMs = findTime(rotation?.dropAfter);
  return rotation?.phase === 'issuing' && dueMs !== undefined && dueMs <= nowMs;
}
