import { runProgram } from './run-program.ts';

/** The nft program. Each call is one transaction of the kernel. */
export interface NFT {
  /** Commands as of `nft -f`. Rejects with nft's words, and then nothing was changed. */
  apply(commands: string): Promise<void>;
  /** `nft -j list table <family> <name>`; undefined if there is no such table. */
  listTable(family: string, name: string): Promise<string | undefined>;
}

/** `run`: how programs are run, for a table that is in another network namespace. */
export function createNFT({ run = runProgram }: { readonly run?: typeof runProgram } = {}): NFT {
  return {
    async apply(commands) {
      await run('nft', ['-f', '-'], { input: commands });
    },
    async listTable(family, name) {
      try {
        return await run('nft', ['-j', 'list', 'table', family, name]);
      } catch (error) {
        if (error instanceof Error && /No such file or directory/.test(error.message)) return undefined;
        throw error;
      }
    },
  };
}
