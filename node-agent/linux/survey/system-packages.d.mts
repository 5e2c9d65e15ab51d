/** A package of Debian, with the names that differ elsewhere. */
export interface SystemPackage {
  readonly apt: string;
  readonly dnf?: string;
  readonly zypper?: string;
  readonly pacman?: string;
  readonly files: readonly string[];
}

type Release = Readonly<Record<string, string>>;

export const systemPackages: readonly SystemPackage[];
export function parseRelease(text: string): Record<string, string>;
export function packageManagerOf(release: Release): 'apt' | 'dnf' | 'zypper' | 'pacman' | undefined;
export function installCommand(release: Release, debianNames: readonly string[]): string;
export function unknownPackagesRemedy(release: Release, names: readonly string[]): string;
