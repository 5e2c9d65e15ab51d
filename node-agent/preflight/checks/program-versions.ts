import { type Check, error, type Finding, ok, warning } from '../check.ts';
import { isOlder, versionNumbers } from '../kernel-features.ts';

interface Versions {
  readonly program: string;
  /** Versions before this one do not work. */
  readonly least: readonly number[];
  /** Versions before this one lack something. */
  readonly good: readonly number[];
  readonly lacking: string;
}

const versions: readonly Versions[] = [
  { program: 'containerd', least: [1, 6], good: [1, 7], lacking: 'devices by CDI' },
  { program: 'runc', least: [1, 0], good: [1, 1], lacking: 'cgroups of version 2 in full' },
  // Distributions patch older versions: nft is also asked whether it accepts the rules, see packet-filter.ts.
  {
    program: 'nft',
    least: [0, 9, 6],
    good: [1, 0, 7],
    lacking: 'the type of the port of a connection, by which rules of Services look things up',
  },
];

/** Versions of the programs that it matters of. */
export const programVersions: Check = {
  name: 'ProgramVersions',
  run(machine, plan) {
    const findings: Finding[] = [];
    const found: string[] = [];
    for (const { program, least, good, lacking } of versions) {
      const { path, version: said, versionProblem } = machine.programs[program] ?? {};
      if (program !== 'nft' && plan.runtimeEndpoint !== undefined) continue;
      const name = `ProgramVersion-${program}`;
      const version = said === undefined ? undefined : findVersion(program, said);
      const silence = said === undefined ? versionProblem : version === undefined ? `says "${said.slice(0, 60)}"` : undefined;
      if (silence !== undefined)
        findings.push(warning(name, `the version of ${program} is not known: ${path} ${silence}`, `${path} --version`));
      if (version === undefined) continue;
      found.push(`${program} ${version}`);
      const numbers = versionNumbers(version);
      const remedy = `install ${program} ${good.join('.')} or newer`;
      if (isOlder(numbers, least)) findings.push(error(name, `${program} ${version} is older than ${least.join('.')}`, remedy));
      else if (isOlder(numbers, good))
        findings.push(warning(name, `${program} ${version} is older than ${good.join('.')} and lacks ${lacking}`, remedy));
    }
    return findings.length > 0 ? findings : [ok(programVersions.name, found.join(', ') || 'not asked')];
  },
};

/** Finds the version in `containerd github.com/containerd/containerd 1.7.24~ds1 …`, `runc version 1.1.15+ds1`, `nftables v1.1.3 (…)`. */
function findVersion(program: string, said: string): string | undefined {
  const pattern = program === 'containerd' ? /\sv?(\d+\.\d+\.\d+)/ : /v?(\d+\.\d+(?:\.\d+)?)/;
  return pattern.exec(said)?.[1];
}
