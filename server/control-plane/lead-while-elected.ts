import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import os from 'node:os';
import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { Random } from '../../api/base/random.ts';
import type { Client } from '../../api/client/client.ts';
import { runLeaderElection } from '../../api/client/leader-election.ts';

/** Reads the facts that distinguish this control plane from others on the same store. */
interface CandidateFacts {
  readonly hostName: string;
  readonly bootID: string;
  /** The device and inode of the data directory, which only one control plane can use at a time. */
  readonly directory: string;
}

/**
 * The identity of a candidate for leadership: the host name and a UUID, as upstream's. A control plane keeps it across restarts, so that it
 * need not wait until its own lease expires; a copy of its files gets another one.
 */
export function candidateIdentity({ hostName, bootID, directory }: CandidateFacts): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([hostName, bootID, directory]))
    .digest('hex');
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`, digest.slice(20, 32)];
  return `${hostName}_${parts.join('-')}`;
}

export async function readCandidateFacts(directory: string): Promise<CandidateFacts> {
  const { dev, ino } = await stat(directory);
  const bootID = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''); // Linux alone has it
  return { hostName: os.hostname().toLowerCase(), bootID: bootID.trim(), directory: `${dev}:${ino}` };
}

export interface ElectedPart {
  /** The name of the lease in kube-system, as upstream's. */
  readonly name: 'kube-controller-manager' | 'kube-scheduler';
  readonly identity: string;
  /** Acts as the part's own user. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Runs while this control plane leads; it may be called again after leadership was lost. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

/** Runs a part of the control plane while this one holds its lease, until the signal is aborted. */
export async function leadWhileElected(part: ElectedPart, signal: AbortSignal): Promise<void> {
  const { name, lead, ...candidate } = part;
  while (!signal.aborted) {
    let failure: { readonly error: unknown } | undefined;
    await runLeaderElection({
      ...candidate,
      lease: { namespace: 'kube-system', name },
      signal,
      async lead(leading) {
        try {
          await lead(leading);
        } catch (error) {
          // A failure because leadership ended is no failure of the part.
          if (!leading.aborted) failure = { error };
        }
      },
    });
    if (failure !== undefined) throw failure.error;
  }
}
