import type { DirectoryFacts, MountFacts } from '../../linux/survey/surveyed-machine.ts';
import { advice, type Check, error, type Finding, orOK, warning } from '../check.ts';

const mebibyte = 2 ** 20;
const leastBytes = 256 * mebibyte;
/** The kubelet's defaults, below which it evicts Pods and removes images: nodefs.available, nodefs.inodesFree, imagefs.available. */
const pressure = { nodePercent: 10, inodesPercent: 5, imagePercent: 15 };
const leastRunBytes = 16 * mebibyte;

/** File systems that cannot carry the overlay file systems of containers, by type. */
const unfit: Readonly<Record<string, string>> = {
  overlay: 'an overlay itself',
  ecryptfs: 'encrypted by eCryptfs',
  nfs: 'a network file system',
  nfs4: 'a network file system',
  cifs: 'a network file system',
  smb3: 'a network file system',
  '9p': 'a folder of another machine',
  vboxsf: 'a folder of another machine',
  vfat: 'of a kind without owners of files',
  exfat: 'of a kind without owners of files',
  ntfs3: 'of a kind without owners of files',
  ramfs: 'memory without extended attributes',
  squashfs: 'read-only by its kind',
};

/** File systems on which it depends on their version or settings. */
const doubtful: Readonly<Record<string, string>> = {
  zfs: 'OpenZFS carries overlays of containers from 2.2 on',
  fuse: 'file systems of programs seldom carry overlays of containers',
  fuseblk: 'file systems of programs seldom carry overlays of containers',
  virtiofs: 'virtiofs carries overlays of containers only with xattr=on and as root',
};

/** Room and kind of the file system that holds the data directory, and room in /run. */
export const dataDirectory: Check = {
  name: 'DataDirectory',
  run({ dataDirectory: data, runDirectory, mounts }, { runtimeEndpoint, hasDefaultEviction }) {
    const mount = mountOf(data.path, mounts);
    const findings = [
      ...roomFindings(data, hasDefaultEviction),
      ...(mount === undefined ? [] : mountFindings(data.path, mount, runtimeEndpoint !== undefined)),
    ];
    if (runDirectory.availableBytes < leastRunBytes)
      findings.push(
        warning('RunDirectory', `/run has ${inMebibytes(runDirectory.availableBytes)} left`, 'free some of it: du -xsh /run/*'),
      );
    const free = `${data.path}: ${inMebibytes(data.availableBytes)} free${mount === undefined ? '' : ` on ${mount.type}`}`;
    return orOK(findings, dataDirectory.name, free);
  },
};

function roomFindings(facts: DirectoryFacts, hasDefaultEviction: boolean): Finding[] {
  const { path, capacityBytes, availableBytes, inodes, inodesFree } = facts;
  const name = 'DiskSpace';
  const percent = (part: number, whole: number) => Math.floor((part * 100) / Math.max(whole, 1));
  const remedy = 'free some of it, or put the data directory elsewhere with --data-dir';
  const left = percent(availableBytes, capacityBytes);
  if (availableBytes < leastBytes) return [warning(name, `${path} has ${inMebibytes(availableBytes)} left`, remedy)];
  if (!hasDefaultEviction) return [];
  const findings: Finding[] = [];
  if (left < pressure.nodePercent)
    findings.push(
      warning(name, `${path} has ${left}% left: below ${pressure.nodePercent}% the node has DiskPressure and evicts Pods`, remedy),
    );
  else if (left < pressure.imagePercent)
    findings.push(
      warning(name, `${path} has ${left}% left: below ${pressure.imagePercent}% the node has DiskPressure and removes images`, remedy),
    );
  if (inodes > 0 && percent(inodesFree, inodes) < pressure.inodesPercent)
    findings.push(
      warning('DiskInodes', `${path} has ${percent(inodesFree, inodes)}% of its inodes left: the node has DiskPressure`, remedy),
    );
  return findings;
}

function mountFindings(path: string, { point, type, options }: MountFacts, hasOtherRuntime: boolean): Finding[] {
  const name = 'DataFileSystem';
  const remedy = 'put the data directory on ext4, xfs or btrfs of this machine with --data-dir';
  const findings: Finding[] = [];
  if (options.includes('ro'))
    findings.push(error(name, `${path} is on ${point}, which is mounted read-only`, `mount -o remount,rw ${point}`));
  if (options.includes('noexec'))
    findings.push(
      warning(
        name,
        `${path} is on ${point}, which is mounted noexec: programs of volumes and drivers do not run`,
        `mount -o remount,exec ${point}`,
      ),
    );
  if (options.includes('nosuid') && point !== '/')
    findings.push(
      advice(name, `${path} is on ${point}, which is mounted nosuid`, `mount -o remount,suid ${point}, if containers need setuid programs`),
    );
  if (hasOtherRuntime) return findings;
  const why = unfit[type];
  if (why !== undefined)
    findings.push(error(name, `${path} is on ${type}, ${why}: no file system of a container can be made on it`, remedy));
  else if (doubtful[type] !== undefined || type.startsWith('fuse.'))
    findings.push(warning(name, `${path} is on ${type}: ${doubtful[type] ?? doubtful['fuse']}`, remedy));
  if (type === 'tmpfs') findings.push(warning(name, `${path} is in memory: the cluster is gone when the machine restarts`, remedy));
  return findings;
}

/** The last mount of the longest point above a path. */
function mountOf(path: string, mounts: readonly MountFacts[]): MountFacts | undefined {
  const above = mounts.filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`));
  return above.reduce<MountFacts | undefined>(
    (best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best),
    undefined,
  );
}

function inMebibytes(bytes: number): string {
  return bytes < 10 * 1024 * mebibyte ? `${Math.floor(bytes / mebibyte)} MiB` : `${Math.floor(bytes / mebibyte / 1024)} GiB`;
}
