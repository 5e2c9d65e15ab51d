import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Facts about processes and the machine, from /proc. */

/** In which /proc counts processor time; Linux has not changed it for user space on any machine. */
const ticksPerSecond = 100;
const kibiPerMebi = 1024;

/** Processor time a process has spent, in user space and in the kernel on its behalf. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Processor time of all processes together. */
export function machineBusySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)
    .join('')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

interface Memory {
  readonly residentMiB: number;
  /** The most it ever was. */
  readonly peakMiB: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) / kibiPerMebi;
  return { residentMiB: read('VmRSS'), peakMiB: read('VmHWM') };
}

const pageBytes = 4096;

/** Bytes that all TCP connections of this machine hold in the kernel: sent and not yet read. */
export function socketMiB(): number {
  const pages = /^TCP: .* mem (\d+)$/m.exec(readFileSync('/proc/net/sockstat', 'utf8'))?.[1];
  return (Number(pages ?? Number.NaN) * pageBytes) / kibiPerMebi ** 2;
}

/** The process that listens on a TCP port of this machine; undefined if none does that we may look at. */
export function findListener(port: number): number | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port)));
  if (inodes.size === 0) return undefined;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => socketInodes(pid).some((inode) => inodes.has(inode)));
}

const stateListen = '0A';

function listeningInodes(file: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === stateListen)
    .flatMap((fields) => fields[9] ?? []);
}

function socketInodes(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return readLinks(directory).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

/** Processes and files come and go while they are looked at; others' are not to be looked at. */
function readLinks(directory: string): string[] {
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      if (['ENOENT', 'EACCES', 'ESRCH', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '')) return otherwise;
      throw error;
    }
  };
  return attempt(() => readdirSync(directory), []).map((name) => attempt(() => readlinkSync(`${directory}/${name}`), ''));
}
