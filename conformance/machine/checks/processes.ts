import type { Machine } from '../emulator/machine.ts';

interface MachineProcess {
  readonly pid: number;
  readonly parent: number;
  readonly oomScore: number;
  readonly command: string;
}

/** The processes with their `oom_score_adj`, read at once. */
export async function listProcesses(machine: Machine): Promise<MachineProcess[]> {
  const script = `for p in /proc/[0-9]*; do
    c=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null); test -n "$c" || continue
    o=$(cat $p/oom_score_adj 2>/dev/null) && s=$(cut -d')' -f2 $p/stat 2>/dev/null) && set -- $s && echo "\${p#/proc/} $2 $o $c"
  done`;
  return parseProcesses(await machine.succeed(script));
}

export function parseProcesses(text: string): MachineProcess[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [pid = '', parent = '', oomScore = '', ...command] = line.split(' ');
      return { pid: Number(pid), parent: Number(parent), oomScore: Number(oomScore), command: command.join(' ').trim() };
    });
}

/** The parts of kubets and its runtime by the commands they run as. */
const parts = {
  'control plane': /kubets\.mjs (up|server)\b/,
  agent: /node-agent\/main\.ts|kubets\.mjs agent\b/,
  containerd: /(^|\/)containerd .*kubets/,
  shim: /containerd-shim.*kubets/,
  pause: /^\/?(usr\/bin\/)?(catatonit|pause)\b/,
} as const;

export type Part = keyof typeof parts;

/** The processes of a part. npm and the bootstrap program are not of it: they only wait. */
export function processesOf(part: Part, processes: readonly MachineProcess[]): MachineProcess[] {
  return processes.filter(({ command }) => parts[part].test(command) && !/^(npm|sh) |bootstrap\.mjs/.test(command));
}
