import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { runProgram } from '../processes/run-program.ts';

/** A filter of the tracked connections to forget. Absent fields match any. */
interface ConntrackFilter {
  readonly family: IPFamily;
  readonly protocol: 'udp' | 'tcp' | 'sctp';
  /** The destination of the client's packets. */
  readonly originalDestination?: string;
  readonly originalPort?: number;
  /** The destination after translation. */
  readonly translatedDestination?: string;
}

/** The kernel's table of connections. */
export interface Conntrack {
  /** Answers how many were forgotten; undefined: the machine has no program for it. */
  forget(filter: ConntrackFilter): Promise<number | undefined>;
}

/**
 * Changes the connection table with the program conntrack, if the machine has it. `run` runs it, for example in another network namespace.
 */
export function createConntrack({ run = runProgram }: { readonly run?: typeof runProgram } = {}): Conntrack {
  return {
    async forget({ family, protocol, originalDestination, originalPort, translatedDestination }) {
      const args = ['-D', '-f', family.toLowerCase(), '-p', protocol];
      if (originalDestination !== undefined) args.push('--orig-dst', originalDestination);
      if (originalPort !== undefined) args.push('--orig-port-dst', String(originalPort));
      if (translatedDestination !== undefined) args.push('--dst-nat', translatedDestination);
      try {
        return (await run('conntrack', args)).trimEnd().split('\n').length;
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        if (error.message.includes('0 flow entries have been deleted')) return 0;
        if (error.message.includes('ENOENT')) return undefined;
        throw error;
      }
    },
  };
}
