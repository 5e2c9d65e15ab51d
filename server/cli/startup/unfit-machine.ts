/** Exit status of a command on a machine that lacks what will not come by itself: EX_CONFIG of sysexits.h. Units are not restarted after it. */
export const unfitMachineStatus = 78;

/** The machine lacks something that will not come by itself; `kubets` ends with `unfitMachineStatus`. */
export class UnfitMachineError extends Error {}

/** Checks whose errors last until somebody does something about them. Others may pass: ports, clocks, disks, a runtime that starts. */
const lastingChecks = /^(IsPrivilegedUser|SystemVerification|Cgroups|CNIPlugins|NFTables|(KernelModule|ProgramVersion|FileExisting)-.*)$/;

/** Whether every one of these checks has an error that lasts. */
export function areLasting(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => lastingChecks.test(name));
}
