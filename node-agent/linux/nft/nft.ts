import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { runProgram } from '../processes/run-program.ts';

/** How nft names tables, packet headers and addresses of a family. */
export interface NFTFamily {
  /** The keyword of tables, and of the fields of packets: `ip saddr`. */
  readonly ip: 'ip' | 'ip6';
  readonly addressType: 'ipv4_addr' | 'ipv6_addr';
}

export const nftFamilies: Readonly<Record<IPFamily, NFTFamily>> = {
  IPv4: { ip: 'ip', addressType: 'ipv4_addr' },
  IPv6: { ip: 'ip6', addressType: 'ipv6_addr' },
};

/** The nft program. Each call is one transaction of the kernel. */
export interface NFT {
  /** Runs commands of `nft -f`, all or none of them. Rejects with nft's message if nothing was changed. */
  apply(commands: string): Promise<void>;
  /** All tables, as `family name`. */
  listTables(): Promise<readonly string[]>;
  /** `nft -j list table <family> <name>`; undefined if there is no such table. */
  listTable(family: string, name: string): Promise<string | undefined>;
  /** `nft -j list map <family> <table> <name>`. */
  listMap(family: string, table: string, name: string): Promise<string>;
}

/** `run`: how programs are run, for a table that is in another network namespace. */
export function createNFT({ run = runProgram }: { readonly run?: typeof runProgram } = {}): NFT {
  return {
    async apply(commands) {
      await run('nft', ['-f', '-'], { wholeInput: commands });
    },
    async listTables() {
      const lines = (await run('nft', ['list', 'tables'])).split('\n');
      return lines.flatMap((line) => /^table (\S+ \S+)$/.exec(line.trim())?.[1] ?? []);
    },
    async listTable(family, name) {
      try {
        return await run('nft', ['-j', 'list', 'table', family, name]);
      } catch (error) {
        if (error instanceof Error && /No such file or directory/.test(error.message)) return undefined;
        throw error;
      }
    },
    listMap: (family, table, name) => run('nft', ['-j', 'list', 'map', family, table, name]),
  };
}
