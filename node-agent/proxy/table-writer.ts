import type { Logger } from '../../api/base/logger.ts';
import type { IPFamily } from '../../api/semantics/ip-family.ts';
import { type NFT, nftFamilies } from '../linux/nft.ts';
import { renderBaseTable, renderTableRemoval, tableName, tableOf } from './nftables/base-table.ts';
import { elementKey, type Entries } from './nftables/entry.ts';
import { parseTable } from './nftables/read-back.ts';
import { RuleState } from './nftables/rule-state.ts';
import { renderServiceEntries } from './nftables/service-entries.ts';
import { renderTransaction } from './nftables/transaction.ts';
import type { ServicePortRules } from './tracking/service-port-rules.ts';

export interface TableWriterDependencies {
  readonly nft: NFT;
  readonly family: IPFamily;
  /** Of the family. */
  readonly clusterCIDRs: readonly string[];
  readonly logger: Logger;
}

export interface TableSync {
  /** Full: the table was read back first, at the start and after failures. */
  readonly kind: 'full' | 'partial';
  readonly changes: number;
  /** Present: it failed, and nothing was changed; the next sync reads back what there is. */
  readonly error?: unknown;
}

/** Brings the kernel's table to what Services ask for. */
export interface TableWriter {
  /** What a Service needs from now on; no ports: nothing. */
  claim(service: string, ports: readonly ServicePortRules[]): void;
  /** Addresses of the node that take traffic to node ports. */
  claimNode(owner: string, nodePortIPs: readonly string[]): void;
  /** The next sync reads back what the kernel holds. */
  distrust(): void;
  sync(): Promise<TableSync>;
}

/**
 * Knows the table's content by heart and sends differences. At first, and whenever something went wrong, it reads the table
 * and goes on from what is there: rules of Services that have not changed are not touched, so their traffic never stops.
 */
export function createTableWriter({ nft, family, clusterCIDRs, logger }: TableWriterDependencies): TableWriter {
  const table = tableOf(family);
  const state = new RuleState();
  let isTrusted = false;

  /** Everything that is to change, in one transaction. Answers how much that was. */
  const write = async (before = ''): Promise<number> => {
    const changes = state.changes();
    const text = before + renderTransaction(changes, table);
    if (text !== '') await nft.apply(text);
    state.done(changes);
    return changes.length;
  };
  const adopt = async (): Promise<number> => {
    const json = await nft.listTable(nftFamilies[family].ip, tableName);
    const found = json === undefined ? ({ state: 'absent' } as const) : parseTable(json);
    const base = renderBaseTable(clusterCIDRs, family);
    if (found.state !== 'foreign') {
      state.observe(found.state === 'ours' ? found.entries : new Map());
      try {
        return await write(base);
      } catch (error) {
        if (found.state === 'absent') throw error;
        logger.warn('the table of Services is not as this version makes it, and is replaced', { error });
      }
    }
    state.observe(new Map());
    return write(renderTableRemoval(family) + base);
  };

  return {
    claim: (service, ports) => state.claim(service, renderServiceEntries(ports, clusterCIDRs, family)),
    claimNode(owner, nodePortIPs) {
      const entries: Entries = new Map(nodePortIPs.map((ip) => [elementKey('nodeport-ips', ip), '']));
      state.claim(owner, entries);
    },
    distrust() {
      isTrusted = false;
    },
    async sync() {
      const kind = isTrusted ? 'partial' : 'full';
      try {
        const changes = isTrusted ? await write() : await adopt();
        isTrusted = true;
        return { kind, changes };
      } catch (error) {
        isTrusted = false;
        return { kind, changes: 0, error };
      }
    },
  };
}
