import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Things that a cluster might leave behind on the machine. */
export interface Leftovers {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly networkNamespaces: readonly string[];
  readonly interfaces: readonly string[];
  readonly nftTables: readonly string[];
}

/** Processes and mounts of a data dir, and with `machine` all network namespaces, interfaces and nft tables there are. */
export function findLeftovers(dataDir: string, { machine }: { readonly machine: boolean }): Leftovers {
  const linesOf = (program: string, args: readonly string[]) => (machine ? listWith(program, args) : []);
  return {
    processes: processesNaming(dataDir),
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(dataDir)),
    networkNamespaces: linesOf('ip', ['netns', 'list']),
    interfaces: linesOf('ip', ['-brief', 'link']).map((line) => line.split(/[\s@]/)[0] ?? ''),
    nftTables: linesOf('nft', ['list', 'tables']),
  };
}

/** The things that were added since `before`. */
export function subtractLeftovers(now: Leftovers, before: Leftovers): Leftovers {
  const added = (what: keyof Leftovers) => now[what].filter((item) => !before[what].includes(item));
  return {
    processes: added('processes'),
    mounts: added('mounts'),
    networkNamespaces: added('networkNamespaces'),
    interfaces: added('interfaces'),
    nftTables: added('nftTables'),
  };
}

function processesNaming(dataDir: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const command = readCommandLine(pid);
    if (command.includes(dataDir)) found.push(`${pid} ${command}`);
  }
  return found;
}

function readCommandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // The process has ended since the directory was read.
    return '';
  }
}

/** Empty if the program is not installed, since there is then nothing that it would list. */
function listWith(program: string, args: readonly string[]): string[] {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((line) => line.trim() !== '');
}
