import { readFileSync } from 'node:fs';

/**
 * A name for a process that no other process ever has on this machine: pids are used again, most likely of all by
 * whatever is started at the same place of the next boot. Undefined where there is no such process, or no /proc.
 */
export function findProcessIdentity(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const started = findStartTicks(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return started === undefined ? undefined : `${boot}/${started}`;
  } catch {
    return undefined;
  }
}

/** Field 22 of proc_pid_stat(5), clock ticks since the boot; undefined for a zombie. The name in field 2 may hold anything. */
export function findStartTicks(stat: string): number | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19]);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the recorded process is alive, and is not another process with the same pid. */
export function isSameProcess({ pid, identity }: { readonly pid: number; readonly identity?: string }): boolean {
  return isRunning(pid) && (identity === undefined || findProcessIdentity(pid) === identity);
}
