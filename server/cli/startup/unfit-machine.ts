/**
 * The exit status of a command on a machine that lacks something that only a person can add: EX_CONFIG of sysexits.h. systemd units do not
 * restart after it.
 */
export const unfitMachineStatus = 78;

/** The machine lacks something that will not come by itself; `kubets` ends with `unfitMachineStatus`. */
export class UnfitMachineError extends Error {}

/** The checks whose errors last until somebody acts. Others may pass by themselves: ports, clocks, disks, a runtime that is starting. */
const lastingChecks = /^(IsPrivilegedUser|SystemVerification|Cgroups|CNIPlugins|NFTables|(KernelModule|ProgramVersion|FileExisting)-.*)$/;

/** Whether all of these checks have errors that last. */
export function areLasting(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => lastingChecks.test(name));
}
