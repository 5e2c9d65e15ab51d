import { access, readFile } from 'node:fs/promises';
import { runProgram } from '../processes/run-program.ts';

/** The systemd unit that a process belongs to, by its /proc/PID/cgroup; undefined where it is in none. */
export function findUnit(cgroups: string): string | undefined {
  const lines = cgroups.trim().split('\n');
  // Version 1 has a hierarchy for systemd itself; that of version 2 is empty there.
  const line = lines.find((one) => one.includes(':name=systemd:')) ?? lines.find((one) => one.startsWith('0::'));
  return line
    ?.split(':')
    .slice(2)
    .join(':')
    .split('/')
    .findLast((name) => /\.(service|scope)$/.test(name));
}

/** Arguments of busctl that make a scope of processes: its cgroup is left to them, and it is stopped after the agent. */
export function scopeArguments(name: string, pids: readonly number[]): string[] {
  const properties = [
    ['Description', 's', 'containerd of the node of kubets, and what runs its containers'],
    ['Slice', 's', 'system.slice'],
    ['PIDs', 'au', String(pids.length), ...pids.map(String)],
    ['Delegate', 'b', 'true'],
    ['TasksMax', 't', String(2n ** 64n - 1n)],
    ['TimeoutStopUSec', 't', '20000000'],
    // When the machine shuts down the agent may still have to end Pods.
    ['Before', 'as', '2', 'kubets.service', 'kubets-agent.service'],
    ['CollectMode', 's', 'inactive-or-failed'],
  ];
  return [
    ...['call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager', 'StartTransientUnit'],
    ...['ssa(sv)a(sa(sv))', name, 'fail', String(properties.length), ...properties.flat(), '0'],
  ];
}

const prefix = 'kubets-containerd-';

/**
 * Moves containerd and its shims out of the unit or login session in which they were started, so that they outlive it. Does nothing on a
 * machine without systemd, and if they are in a scope of their own.
 */
export async function giveOwnScope(pids: readonly number[]): Promise<void> {
  if (!(await hasSystemd())) return;
  const strays: number[] = [];
  for (const pid of pids) {
    const cgroups = await cgroupsOf(pid);
    // A process that has ended is in no cgroup, and would have all others refused.
    if (cgroups !== '' && !findUnit(cgroups)?.startsWith(prefix)) strays.push(pid);
  }
  const [first] = strays;
  if (first === undefined) return;
  const started = (await readFile(`/proc/${first}/stat`, 'utf8')).split(' ').at(21) ?? '';
  await runProgram('busctl', scopeArguments(`${prefix}${first}-${started}.scope`, strays));
}

function cgroupsOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''); // has ended
}

async function hasSystemd(): Promise<boolean> {
  return await access('/run/systemd/system').then(
    () => true,
    () => false,
  );
}
