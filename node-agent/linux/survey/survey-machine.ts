import { stat } from 'node:fs/promises';
import { lookup } from 'node:dns/promises';
import * as os from 'node:os';
import { geteuid } from 'node:process';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { IPFamily } from '../../../api/semantics/services/ip-family.ts';
import { pauseProgram } from '../runtime/pause-image.ts';
import { parseRelease } from './system-packages.mjs';
import { type KernelPart, readCgroups, readKernel, readMounts } from './kernel-facts.ts';
import { readPacketFilter, readRoutes } from './packet-filter-facts.ts';
import { isExecutable, readPrograms } from './program-facts.ts';
import { directoryFacts, findNames, linesOf, textOf } from './read-facts.ts';
import { readListeningSockets } from './socket-facts.ts';
import type { SurveyedMachine } from './surveyed-machine.ts';

export interface SurveyRequest {
  /** Absolute. */
  readonly dataDirectory: string;
  /** Ports whose users are looked up. */
  readonly ports: readonly number[];
  /** The families of the ranges whose routes matter. */
  readonly families: readonly IPFamily[];
  readonly kernelParts: readonly KernelPart[];
  /** Whether slow facts are gathered too: versions of programs, and the kernel's configuration. */
  readonly isThorough: boolean;
  /** See readPacketFilter. */
  readonly nftProbe: string;
  /** `unix:///path`; absent: a containerd of the agent's own. */
  readonly runtimeEndpoint?: string;
  readonly cniPluginDirectories: readonly string[];
}

/** Programs and name services that do not answer within it are done without. */
const patienceMs = 2000;
/** An emulated machine takes ten seconds and more for a program of containerd's size. */
const thoroughPatienceMs = 60_000;
const lookupPatienceMs = 200;

const settings = [
  ...['fs.inotify.max_user_instances', 'fs.inotify.max_user_watches', 'fs.file-max'],
  ...['net.ipv4.conf.all.rp_filter', 'net.ipv4.conf.default.rp_filter'],
  ...['net.ipv4.ip_local_port_range', 'net.ipv4.ip_local_reserved_ports', 'net.ipv4.ip_forward'],
  ...['net.bridge.bridge-nf-call-iptables', 'net.netfilter.nf_conntrack_max', 'net.ipv6.conf.all.disable_ipv6'],
  ...['user.max_user_namespaces', 'kernel.apparmor_restrict_unprivileged_userns', 'kernel.modules_disabled', 'kernel.pid_max'],
];

const configurationFiles = [...['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf', '/etc/ufw/ufw.conf', '/etc/ufw/user.rules']];

/** Folders with the `.conf` or `.xml` files of NetworkManager, systemd-networkd, udev and firewalld. */
const configurationFolders = [
  ...['/etc/NetworkManager/conf.d', '/run/NetworkManager/conf.d', '/usr/lib/NetworkManager/conf.d'],
  ...['/etc/systemd/networkd.conf.d', '/usr/lib/systemd/networkd.conf.d', '/etc/firewalld/zones'],
];

/** Gathers facts of the machine: runs few programs, changes nothing, and takes some ten milliseconds. */
export async function surveyMachine(request: SurveyRequest, { clock }: { readonly clock: Clock }): Promise<SurveyedMachine> {
  const patience = new AbortController();
  const timer = clock.setTimer(request.isThorough ? thoroughPatienceMs : patienceMs, () => patience.abort(), { background: true });
  try {
    return await survey(request, clock, patience.signal);
  } finally {
    timer.cancel();
  }
}

async function survey(request: SurveyRequest, clock: Clock, signal: AbortSignal): Promise<SurveyedMachine> {
  const mounts = await readMounts();
  const runtimeSocket = request.runtimeEndpoint?.replace(/^unix:\/\//, '');
  const [host, network, kernel, cgroups, programs, cniPlugins, files] = await Promise.all([
    readHost(request, clock),
    readNetwork(request, signal),
    readKernel(request.kernelParts, request.isThorough),
    readCgroups(mounts),
    readPrograms(request.isThorough, signal),
    namesByFolder(request.cniPluginDirectories),
    readConfigurationFiles(),
  ]);
  return {
    ...host,
    ...network,
    ...{ kernel, cgroups, programs, cniPlugins, files, mounts },
    cniConfigurations: ((await findNames('/etc/cni/net.d')) ?? []).filter((name) => /\.(conf|conflist|json)$/.test(name)).sort(),
    hasRuntimeSocket: runtimeSocket !== undefined && (await exists(runtimeSocket)),
    hasPauseProgram: await isExecutable(pauseProgram),
    nowMs: clock.nowMs(),
  };
}

async function readHost({ dataDirectory }: SurveyRequest, clock: Clock) {
  const [status, memory, limits, release, container, dataFacts, runFacts, hostnameResolves, units, sysctls, swaps] = await Promise.all([
    textOf('/proc/self/status'),
    textOf('/proc/meminfo'),
    textOf('/proc/self/limits'),
    textOf('/etc/os-release'),
    findContainer(),
    directoryFacts(dataDirectory),
    directoryFacts('/run'),
    resolvesHostname(clock),
    readUnits(),
    readSettings(),
    linesOf('/proc/swaps'),
  ]);
  return {
    effectiveUID: geteuid?.() ?? -1,
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`),
    container,
    release: parseRelease(release),
    hasSystemd: await exists('/run/systemd/system'),
    hostname: os.hostname(),
    hostnameResolves,
    cpus: os.availableParallelism(),
    memoryBytes: Number(/^MemTotal:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0) * 1024,
    swaps: swaps.slice(1),
    openFiles: parseLimit(/^Max open files\s+(\S+)/m.exec(limits)?.[1]),
    sysctls,
    dataDirectory: dataFacts,
    runDirectory: runFacts,
    units,
    isClockSynchronized: await readClockState(units),
  };
}

async function readNetwork({ ports, nftProbe, families }: SurveyRequest, signal: AbortSignal) {
  const [sockets, routes, filter] = await Promise.all([
    readListeningSockets(ports),
    readRoutes(families, signal),
    readPacketFilter(nftProbe, signal),
  ]);
  return { sockets, routes, filter };
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function parseLimit(text: string | undefined): number {
  return text === undefined || text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

/** The container manager that started process 1, if it announces itself. */
async function findContainer(): Promise<string | undefined> {
  const said = (await textOf('/run/systemd/container')) || /(?:^|\0)container=([^\0]*)/.exec(await textOf('/proc/1/environ'))?.[1];
  if (said) return said;
  if (await exists('/.dockerenv')) return 'docker';
  return (await exists('/run/.containerenv')) ? 'podman' : undefined;
}

async function readSettings(): Promise<Record<string, string>> {
  const values = settings.map(async (name) => [name, await textOf(`/proc/sys/${name.replaceAll('.', '/')}`)] as const);
  return Object.fromEntries((await Promise.all(values)).filter(([, value]) => value !== ''));
}

/** A unit that runs has a cgroup: that is cheaper to see than to ask systemd. */
async function readUnits(): Promise<string[]> {
  const folders = ['/sys/fs/cgroup/system.slice', '/sys/fs/cgroup/systemd/system.slice', '/sys/fs/cgroup/unified/system.slice'];
  const names = (await Promise.all(folders.map(findNames))).flatMap((found) => found ?? []);
  return [...new Set(names.filter((name) => name.endsWith('.service')))].sort();
}

/** systemd-timesyncd leaves a file when it has got the time; of others only that they run is known. */
async function readClockState(units: readonly string[]): Promise<boolean | undefined> {
  if (units.includes('systemd-timesyncd.service')) return await exists('/run/systemd/timesync/synchronized');
  if (units.some((unit) => /^(chronyd?|ntpd?|ntpsec|openntpd)\.service$/.test(unit))) return true;
  return (await exists('/run/systemd/system')) ? false : undefined;
}

async function resolvesHostname(clock: Clock): Promise<boolean> {
  const name = os.hostname();
  const [hosts, services] = await Promise.all([textOf('/etc/hosts'), textOf('/etc/nsswitch.conf')]);
  const isInHosts = hosts.split('\n').some((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1).includes(name));
  if (isInHosts || /^hosts:.*\bmyhostname\b/m.test(services)) return true;
  const found = lookup(name).then(
    () => true,
    () => false,
  );
  return await Promise.race([found, sleep(clock, lookupPatienceMs).then(() => false)]);
}

async function namesByFolder(folders: readonly string[]): Promise<Record<string, readonly string[]>> {
  const entries = await Promise.all(folders.map(async (folder) => [folder, await findNames(folder)] as const));
  return Object.fromEntries(entries.flatMap(([folder, names]) => (names === undefined ? [] : [[folder, names]])));
}

async function readConfigurationFiles(): Promise<Record<string, string>> {
  const folders = await Promise.all(
    configurationFolders.map(async (folder) =>
      ((await findNames(folder)) ?? []).filter((name) => /\.(conf|xml)$/.test(name)).map((name) => `${folder}/${name}`),
    ),
  );
  const paths = [...configurationFiles, '/etc/NetworkManager/NetworkManager.conf', '/etc/systemd/networkd.conf', ...folders.flat()];
  const texts = await Promise.all(paths.map(async (path) => [path, await textOf(path)] as const));
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}
