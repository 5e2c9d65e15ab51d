import type { SurveyedMachine } from '../../linux/survey/surveyed-machine.ts';
import { type Check, error, type Finding, orOK, warning } from '../check.ts';
import { installCommand } from '../../linux/survey/system-packages.mjs';

interface NeededProgram {
  readonly program: string;
  readonly debianPackage: string;
  /** Needed only if the agent runs its own containerd. */
  readonly isOfRuntime?: boolean;
  /** The feature that does not work without it; absent: nothing does. */
  readonly lacking?: string;
}

const needed: readonly NeededProgram[] = [
  { program: 'containerd', debianPackage: 'containerd', isOfRuntime: true },
  { program: 'containerd-shim-runc-v2', debianPackage: 'containerd', isOfRuntime: true },
  { program: 'runc', debianPackage: 'runc', isOfRuntime: true },
  { program: 'nft', debianPackage: 'nftables' },
  { program: 'ip', debianPackage: 'iproute2' },
  { program: 'conntrack', debianPackage: 'conntrack' },
  { program: 'mount', debianPackage: 'mount' },
  { program: 'umount', debianPackage: 'mount' },
  { program: 'iptables', debianPackage: 'iptables', lacking: 'host ports of Pods' },
];

/** Programs that the agent calls, and that PATH leads to. */
export const programs: Check = {
  name: 'FileExisting',
  run(machine, plan) {
    const wanted = needed.filter(({ isOfRuntime = false }) => !isOfRuntime || plan.runtimeEndpoint === undefined);
    const findings = wanted.flatMap((one) => missingProgram(one, machine));
    if (!machine.hasPauseProgram && plan.runtimeEndpoint === undefined)
      findings.push(
        error(
          'FileExisting-catatonit',
          '/usr/bin/catatonit is not there: no sandbox of a Pod can be made',
          installCommand(machine.release, ['catatonit']),
        ),
      );
    return orOK(findings, programs.name, wanted.map(({ program }) => program).join(', '));
  },
};

function missingProgram({ program, debianPackage, lacking }: NeededProgram, machine: SurveyedMachine): Finding[] {
  const { path, elsewhere } = machine.programs[program] ?? {};
  if (path !== undefined) return [];
  const name = `FileExisting-${program}`;
  const level = lacking === undefined ? error : warning;
  const without = lacking === undefined ? '' : `: no ${lacking}`;
  if (elsewhere === undefined)
    return [level(name, `${program} not found in system path${without}`, installCommand(machine.release, [debianPackage]))];
  const folder = elsewhere.slice(0, elsewhere.lastIndexOf('/'));
  return [level(name, `${elsewhere} is not in PATH${without}`, `become root by 'su -' and not by 'su', or: export PATH=$PATH:${folder}`)];
}
