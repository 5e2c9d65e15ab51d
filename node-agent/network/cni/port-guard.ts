import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { NFT } from '../../linux/nft/nft.ts';
import type { PodPorts } from './pod-ports.ts';
import { planPortRules, type PortRules, renderPortChanges, renderPortTable } from './port-rules.ts';

interface PortGuardDependencies {
  readonly nft: NFT;
  readonly ports: PodPorts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps Pods from sending with addresses that are not theirs (planPortRules). */
interface PortGuard {
  /** Checks all ports periodically until the signal is aborted; the rules stay. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the rules hold for all ports that there are; after a failure, which is logged and tried again later, too. */
  protect(): Promise<void>;
  /** Writes the table again after another program has deleted it. */
  rewrite(): void;
}

/** Between two looks at the ports, for those of Pods that have gone. */
const lookMs = 60_000;
const retryMs = 2000;

export function createPortGuard({ nft, ports, clock, logger }: PortGuardDependencies): PortGuard {
  /** The rules in the kernel; undefined: not known. */
  let actual: PortRules | undefined;
  let last: Promise<boolean> = Promise.resolve(true);
  /** False: it failed. */
  const write = async (): Promise<boolean> => {
    try {
      const desired = planPortRules(await ports.list());
      const text = actual === undefined ? renderPortTable(desired) : renderPortChanges(actual, desired);
      if (text !== '') await nft.apply(text);
      actual = desired;
      return true;
    } catch (error) {
      actual = undefined;
      logger.error('the rules of what Pods may send cannot be written', { error });
      return false;
    }
  };
  /** One after the other, since each call builds on what the previous one has written. */
  const inTurn = (): Promise<boolean> => (last = last.then(write));
  return {
    async run(signal) {
      while (!signal.aborted) {
        const isWritten = await inTurn();
        await sleep(clock, isWritten ? lookMs : retryMs, signal).catch(() => undefined); // aborted
      }
    },
    protect: async () => void (await inTurn()),
    rewrite() {
      actual = undefined;
      void inTurn();
    },
  };
}
