import { readFileSync } from 'node:fs';

/** Bytes of address space that the process may still take (`ulimit -v`); undefined where there is no limit. */
function freeAddressSpace(limits: string, statm: string, pageBytes = 4096): number | undefined {
  const soft = /^Max address space\s+(\S+)/m.exec(limits)?.[1];
  if (soft === undefined || !/^\d+$/.test(soft)) return undefined;
  return Math.max(0, Number(soft) - Number(statm.split(' ')[0]) * pageBytes);
}

/** The free address space by the kernel's account; undefined where the kernel gives none. */
export function readFreeAddressSpace(): number | undefined {
  try {
    return freeAddressSpace(readFileSync('/proc/self/limits', 'utf8'), readFileSync('/proc/self/statm', 'utf8'));
  } catch {
    return undefined;
  }
}
