import { readFile } from 'node:fs/promises';
import * as os from 'node:os';
import { type HugePages, readHugePages } from './huge-pages.ts';

/** Facts that do not change while the machine is up. */
export interface MachineFacts {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly hostname: string;
  readonly machineID: string;
  readonly systemUUID: string;
  readonly bootID: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** In Go's words: amd64, arm64. */
  readonly architecture: string;
  /** The address by which the machine reaches others: that of the interface with the default route, else the first that is not loopback. */
  readonly address: string | undefined;
  readonly swapBytes: number;
  /** Processes and threads that can be at once; 0: not known. */
  readonly maxProcesses: number;
  readonly hugePages: readonly HugePages[];
  /** Whether the kernel confines programs by AppArmor's profiles. */
  readonly hasAppArmor: boolean;
}

/** Whether the kernel confines programs by AppArmor's profiles. */
export async function machineHasAppArmor(): Promise<boolean> {
  return (await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => '')).startsWith('Y'); // others have no such file
}

export async function readMachineFacts(): Promise<MachineFacts> {
  const text = async (path: string) => {
    try {
      return (await readFile(path, 'utf8')).trim();
    } catch {
      return ''; // virtual machines and containers leave some of them out
    }
  };
  const memory = await text('/proc/meminfo');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0);
  const release = await text('/etc/os-release');
  const bootID = await text('/proc/sys/kernel/random/boot_id');
  const machineID = await text('/etc/machine-id');
  return {
    cpus: os.availableParallelism(),
    memoryBytes: kilobytes('MemTotal') * 1024,
    hostname: os.hostname().toLowerCase(),
    machineID: machineID || bootID.replaceAll('-', ''),
    systemUUID: (await text('/sys/class/dmi/id/product_uuid')) || machineID || bootID,
    bootID,
    kernelVersion: os.release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'Linux',
    architecture: goArchitecture(os.arch()),
    address: await ownAddress(await text('/proc/net/route')),
    swapBytes: kilobytes('SwapTotal') * 1024,
    hugePages: await readHugePages(),
    maxProcesses: leastOf(await Promise.all(['pid_max', 'threads-max'].map((name) => text(`/proc/sys/kernel/${name}`)))),
    hasAppArmor: await machineHasAppArmor(),
  };
}

/** The least of the values that could be read; 0 where none could. */
function leastOf(values: readonly string[]): number {
  const known = values.map(Number).filter((value) => value > 0);
  return known.length > 0 ? Math.min(...known) : 0;
}

function goArchitecture(architecture: string): string {
  return ({ x64: 'amd64', ia32: '386', ppc64: 'ppc64le' } as Record<string, string>)[architecture] ?? architecture;
}

async function ownAddress(routes: string): Promise<string | undefined> {
  const defaultRoute = routes.split('\n').find((line) => line.split('\t')[1] === '00000000');
  const interfaces = os.networkInterfaces();
  const preferred = interfaces[defaultRoute?.split('\t')[0] ?? ''] ?? [];
  const rest = Object.entries(interfaces).flatMap(([name, addresses]) => (/^(cni|veth|docker|lo)/.test(name) ? [] : (addresses ?? [])));
  return [...preferred, ...rest].find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
