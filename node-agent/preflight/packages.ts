import type { SurveyedMachine } from '../linux/survey/surveyed-machine.ts';
import systemPackages from '../linux/system-packages.json' with { type: 'json' };

type PackageManager = 'apt' | 'dnf' | 'zypper' | 'pacman';

const installCommands: Readonly<Record<PackageManager, string>> = {
  apt: 'apt-get install -y --no-install-recommends',
  dnf: 'dnf install -y',
  zypper: 'zypper install -y',
  pacman: 'pacman -S --needed',
};

/** The distribution's way to install packages, by ID and ID_LIKE of /etc/os-release; undefined for one that is not known. */
export function packageManagerOf({ ID = '', ID_LIKE: like = '' }: Readonly<Record<string, string>>): PackageManager | undefined {
  const names = [ID, ...like.split(' ')];
  const isOne = (...known: string[]) => names.some((name) => known.includes(name));
  if (isOne('debian', 'ubuntu')) return 'apt';
  if (isOne('fedora', 'rhel', 'centos')) return 'dnf';
  if (isOne('suse', 'opensuse', 'sles')) return 'zypper';
  return isOne('arch') ? 'pacman' : undefined;
}

/** The command that installs what these programs and files come with; names are those of Debian's packages. */
export function installCommand({ release }: Pick<SurveyedMachine, 'release'>, debianNames: readonly string[]): string {
  const manager = packageManagerOf(release);
  if (manager === undefined) return `install ${debianNames.join(', ')} (names of Debian) with the distribution's package manager`;
  const names = debianNames.map((name) => systemPackages.find((one) => one.apt === name)?.[manager] ?? name);
  return `${installCommands[manager]} ${[...new Set(names)].join(' ')}`;
}
