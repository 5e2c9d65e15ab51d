import { spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { type Clock, sleep } from '../../../api/base/clock.ts';
import { type Cgroups, createCgroups } from '../cgroups/cgroups.ts';
import { oomScores, setOOMScore } from '../processes/oom-score.ts';
import { pauseProgram } from '../runtime/pause-image.ts';
import { childrenOf, processIsAlive, readCommandLine, signalProcess } from '../processes/processes.ts';
import { removeTree } from '../files/remove-tree.ts';
import { runProgram } from '../processes/run-program.ts';

/** A node in namespaces of this machine: with its own network, mounts, host name, processes, IPC and cgroups, but the host's files. */
interface NodeNamespacesPlan {
  /** Its host name. */
  readonly name: string;
  /** The absolute path of the directory for its private files. */
  readonly directory: string;
  /** Absolute name of the cgroup that is its root. */
  readonly cgroup: string;
  /** Folders of the host that it replaces by its own, which are empty at first. */
  readonly privateFolders: readonly string[];
}

export interface NodeNamespaces {
  /** Makes them, or finds those that run. Resolves to the pid of their first process: killing it ends everything within. */
  ensure(): Promise<{ readonly pid: number; readonly isNew: boolean }>;
  /** Undefined if they are gone. */
  findPID(): Promise<number | undefined>;
  /** Arguments in front of a program that make it run within. */
  enter(pid: number): Promise<string[]>;
  /** Kills everything within, and takes the cgroups away. */
  end(): Promise<void>;
}

/** A machine that is very busy takes seconds for a process. */
const startTimeoutMs = 30_000;
const endTimeoutMs = 10_000;
const exitSignal = 'KILL';

export function createNodeNamespaces(plan: NodeNamespacesPlan, { clock }: { readonly clock: Clock }): NodeNamespaces {
  const pidFile = `${plan.directory}/init.pid`;
  const findPID = async () => {
    const pid = Number(await fs.readFile(pidFile, 'utf8').catch(() => '0')); // never started
    return pid > 0 && (await isOurs(pid, plan)) ? pid : undefined;
  };
  return {
    findPID,
    async ensure() {
      const running = await findPID();
      if (running !== undefined) return { pid: running, isNew: false };
      const cgroups = await createCgroups();
      await cgroups.ensure(plan.cgroup, {});
      const { pid, parent } = await startInit(plan, cgroups, clock);
      await fs.writeFile(pidFile, String(pid));
      // If one of them ends, the whole node ends.
      for (const one of [parent, pid]) await setOOMScore(one, oomScores.nodeNamespaces).catch(() => undefined); // in a container
      // Nothing may stay in a cgroup of version 2 that is to have children.
      if (cgroups.version === 2) {
        await cgroups.ensure(memberCgroup(plan, cgroups), {});
        for (const one of [parent, pid]) await joinCgroups(one, cgroups.memberFiles(memberCgroup(plan, cgroups)));
      }
      await furnish(plan, pid, cgroups);
      return { pid, isNew: true };
    },
    async enter(pid) {
      return enterArguments(pid, plan, await createCgroups());
    },
    async end() {
      const pid = await findPID();
      if (pid !== undefined) {
        signalProcess(pid, 'SIGKILL');
        const deadline = clock.monotonicMs() + endTimeoutMs;
        while ((await processIsAlive(pid)) && clock.monotonicMs() < deadline) await sleep(clock, 10);
      }
      await fs.rm(pidFile, { force: true });
      await removeCgroups(plan.cgroup, clock);
    },
  };
}

/** Programs that are run within must be in its cgroups, which entering namespaces does not do. */
const joinAndRun = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"';

function memberCgroup({ cgroup }: NodeNamespacesPlan, { version }: Cgroups): string {
  return version === 2 ? `${cgroup}/system` : cgroup;
}

function enterArguments(pid: number, plan: NodeNamespacesPlan, cgroups: Cgroups): string[] {
  const files = cgroups.memberFiles(memberCgroup(plan, cgroups));
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--cgroup', '--pid'];
  return ['sh', '-c', joinAndRun, 'sh', ...files, '--', 'nsenter', '--target', String(pid), ...namespaces, '--'];
}

/**
 * Whether the process belongs to this node. A pid is reused after its process has ended, and nodes of other data dirs may have the same
 * name, so its cgroup decides, whose name contains the data dir's id.
 */
async function isOurs(pid: number, { name, cgroup }: NodeNamespacesPlan): Promise<boolean> {
  if (!(await readCommandLine(pid)).includes(initName(name))) return false;
  const cgroups = await fs.readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''); // ended
  return cgroups.split('\n').some((line) => `${line}/`.includes(`${cgroup}/`)) && (await processIsAlive(pid));
}

/** The name of the first process, by which `ps` shows it and it is found. */
function initName(name: string): string {
  return `kubets-node-${name}`;
}

async function startInit(
  plan: NodeNamespacesPlan,
  cgroups: Cgroups,
  clock: Clock,
): Promise<{ readonly pid: number; readonly parent: number }> {
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--cgroup', '--pid', '--fork', `--kill-child=${exitSignal}`];
  // `-P` makes it wait for orphans; the name behind it is only there to be found by.
  const init = `mount -t proc proc /proc && exec ${pauseProgram} -P "$0"`;
  const args = [
    ...['-c', joinAndRun, 'sh', ...cgroups.memberFiles(plan.cgroup), '--'],
    ...['unshare', ...namespaces, '--propagation', 'private', '--', 'sh', '-c', init, initName(plan.name)],
  ];
  await fs.mkdir(plan.directory, { recursive: true });
  const log = await fs.open(`${plan.directory}/init.log`, 'w');
  try {
    const child = spawn('sh', args, { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' });
    const parent = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    child.unref();
    const deadline = clock.monotonicMs() + startTimeoutMs;
    while (clock.monotonicMs() < deadline && (await processIsAlive(parent))) {
      for (const pid of await childrenOf(parent)) {
        const commandLine = await fs.readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (commandLine.startsWith(pauseProgram)) return { pid, parent };
      }
      await sleep(clock, 5);
    }
  } finally {
    await log.close();
  }
  const said = (await fs.readFile(`${plan.directory}/init.log`, 'utf8')).trim();
  throw new Error(`the namespaces of node ${plan.name} cannot be made: ${said || 'no answer'}`);
}

async function joinCgroups(pid: number, files: readonly string[]): Promise<void> {
  for (const file of files) await fs.writeFile(file, String(pid));
}

/** Sets up its cgroup tree, private folders and files, host name and loopback interface. */
async function furnish(plan: NodeNamespacesPlan, pid: number, cgroups: Cgroups): Promise<void> {
  const { name, directory, privateFolders } = plan;
  const commands: string[][] = [];
  // Innermost last when mounting, first when unmounting: the hierarchies may lie below each other.
  const mounts = [...cgroups.mounts].sort((a, b) => a.point.length - b.point.length);
  for (const { point } of mounts.toReversed()) commands.push(['umount', point]);
  for (const { point, type, options } of mounts) {
    const kept = options.filter((option) => option !== 'rw' && option !== 'ro');
    const which = kept.map((option) => (option.startsWith('name=') ? `none,${option}` : option));
    commands.push(['mount', '-t', type, ...(type === 'cgroup' ? ['-o', which.join(',')] : []), type, point]);
  }
  // Empty, as on any machine that starts.
  await removeTree(`${directory}/private/run`);
  const resolver = await fs.realpath('/etc/resolv.conf').catch(() => '/etc/resolv.conf'); // none: written below
  await fs.writeFile(`${directory}/resolv.conf`, await reachableResolvers());
  const resolverFolder = privateFolders.find((folder) => resolver.startsWith(`${folder}/`));
  if (resolverFolder !== undefined) {
    const inside = `${directory}/private${resolver}`;
    await fs.mkdir(inside.slice(0, inside.lastIndexOf('/')), { recursive: true });
    await fs.copyFile(`${directory}/resolv.conf`, inside);
  } else if (await isFile(resolver)) commands.push(['mount', '--bind', `${directory}/resolv.conf`, resolver]);
  for (const folder of privateFolders) {
    await fs.mkdir(folder, { recursive: true });
    await fs.mkdir(`${directory}/private${folder}`, { recursive: true });
    commands.push(['mount', '--bind', `${directory}/private${folder}`, folder]);
  }
  if (await isFile('/etc/machine-id')) {
    await fs.writeFile(`${directory}/machine-id`, `${await machineID(directory)}\n`);
    commands.push(['mount', '--bind', `${directory}/machine-id`, '/etc/machine-id']);
  }
  // Last, so that none of these mounts is a peer of another. `mountPropagation: Bidirectional` needs it, and systemd has it so.
  commands.push(['mount', '--make-rshared', '/']);
  commands.push(['sh', '-c', 'echo "$0" > /proc/sys/kernel/hostname', name], ['ip', 'link', 'set', 'lo', 'up']);
  const [program = 'sh', ...enter] = enterArguments(pid, plan, cgroups);
  await runProgram(program, [...enter, 'sh', '-e'], { input: commands.map((words) => words.map(quote).join(' ')).join('\n') });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function isFile(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined))?.isFile() ?? false; // not there
}

/** The host's own, but for a resolver on the host's loopback interface, which another network does not reach: those that it asks. */
async function reachableResolvers(): Promise<string> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const text = await fs.readFile(file, 'utf8').catch(() => ''); // there is none
    if (/^\s*nameserver\s+(?!127\.|::1)/m.test(text)) return text.replace(/^\s*nameserver\s+(127\.|::1).*\n?/gm, '');
  }
  return '';
}

/** The same at every start. */
async function machineID(directory: string): Promise<string> {
  const kept = (await fs.readFile(`${directory}/machine-id`, 'utf8').catch(() => '')).trim(); // first start
  return kept || (await fs.readFile('/proc/sys/kernel/random/uuid', 'utf8')).replaceAll('-', '').trim();
}

/** Processes that were killed may take a moment to leave. */
async function removeCgroups(cgroup: string, clock: Clock): Promise<void> {
  const cgroups = await createCgroups();
  const deadline = clock.monotonicMs() + endTimeoutMs;
  for (;;) {
    await cgroups.kill(cgroup);
    if (await cgroups.remove(cgroup)) return;
    if (clock.monotonicMs() > deadline) throw new Error(`processes are left in ${cgroup}`);
    await sleep(clock, 20);
  }
}
