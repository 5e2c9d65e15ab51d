import { mkdir, open, readFile, readlink, writeFile } from 'node:fs/promises';
import { pid } from 'node:process';
import { openPath } from '../files/open-directory.ts';
import { runProgram } from '../processes/run-program.ts';

export interface Mounts {
  /** A memory file system that is never swapped out; `sizeBytes` absent: half of the memory, as the kernel does. */
  mountMemory(path: string, options: { readonly sizeBytes?: number }): Promise<void>;
  /** A file system of huge pages; `sizeBytes` absent: as many as there are. */
  mountHugePages(path: string, options: { readonly pageBytes: number; readonly sizeBytes?: number }): Promise<void>;
  bind(source: string, target: string): Promise<void>;
  /**
   * Bind-mounts a path below `root` onto `target`, which is created as a file or a directory like it. Refuses a path that leads outside of
   * `root` through links; the path is opened first, so it cannot be exchanged in between.
   */
  bindInside(root: string, path: string, target: string): Promise<void>;
  /** Unmounts lazily, so that a busy mount disappears with its last user. */
  unmount(path: string): Promise<void>;
  isMounted(path: string): Promise<boolean>;
  /** Mount points at or below a path, innermost first. */
  below(path: string): Promise<string[]>;
  /** Mount points below `within` that show a directory of the disk, or a part of it. */
  showing(directory: string, within: string): Promise<string[]>;
  /** Makes mounts below the path visible to containers that request it (mountPropagation). */
  makeShared(path: string): Promise<void>;
}

export function createMounts(): Mounts {
  let maySwap = false;
  const below = async (path: string) => {
    const points = await mountPoints();
    return points.filter((point) => point === path || point.startsWith(`${path}/`)).sort((a, b) => b.length - a.length);
  };
  const isMounted = async (path: string) => (await mountPoints()).includes(path);
  return {
    async mountMemory(path, { sizeBytes }) {
      const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
      const mount = (options: readonly string[]) =>
        runProgram('mount', ['-t', 'tmpfs', ...(options.length > 0 ? ['-o', options.join(',')] : []), '--', 'tmpfs', path]);
      if (!maySwap) {
        try {
          await mount([...size, 'noswap']);
          return;
        } catch {
          maySwap = true; // kernels before 6.4, and those that run this in a user namespace, do not know it
        }
      }
      await mount(size);
    },
    async mountHugePages(path, { pageBytes, sizeBytes }) {
      const size = sizeBytes === undefined ? '' : `,size=${sizeBytes}`;
      await runProgram('mount', ['-t', 'hugetlbfs', '-o', `pagesize=${pageBytes / 1024}K${size}`, 'nodev', path]);
    },
    async bind(source, target) {
      await runProgram('mount', ['--no-canonicalize', '--bind', '--', source, target]);
    },
    async bindInside(root, path, target) {
      const handle = await open(`${root}/${path}`, openPath); // a device must not notice
      try {
        const real = await readlink(`/proc/self/fd/${handle.fd}`);
        if (real !== root && !real.startsWith(`${root}/`)) throw new Error(`subpath "${path}" is not within volume path "${root}"`);
        if ((await handle.stat()).isDirectory()) await mkdir(target, { recursive: true });
        else {
          await mkdir(target.slice(0, target.lastIndexOf('/')), { recursive: true });
          await writeFile(target, '');
        }
        await runProgram('mount', ['--no-canonicalize', '--bind', '--', `/proc/${pid}/fd/${handle.fd}`, target]);
      } finally {
        await handle.close();
      }
    },
    async unmount(path) {
      if (await isMounted(path)) await runProgram('umount', ['--lazy', '--no-canonicalize', '--', path]);
    },
    isMounted,
    below,
    showing: async (directory, within) => findMountsShowing(await mountTable(), directory, within),
    async makeShared(path) {
      if (!(await isMounted(path))) await runProgram('mount', ['--bind', '--', path, path]);
      await runProgram('mount', ['--make-shared', '--', path]);
    },
  };
}

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
interface MountEntry {
  readonly device: string;
  /** The directory of the file system that is shown at the mount point. */
  readonly root: string;
  readonly point: string;
}

export function parseMountTable(text: string): MountEntry[] {
  const unescape = (field: string) => field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return text.split('\n').flatMap((line) => {
    const [, , device, root, point] = line.split(' ');
    return device && root && point ? [{ device, root: unescape(root), point: unescape(point) }] : [];
  });
}

/** Mount points below `within` whose content is that of a directory, or of a place in it. */
export function findMountsShowing(table: readonly MountEntry[], directory: string, within: string): string[] {
  const holding = table.filter(({ point }) => isAtOrBelow(directory, point)).sort((a, b) => b.point.length - a.point.length)[0];
  if (holding === undefined) return [];
  const inFileSystem = `${holding.root.replace(/\/$/, '')}${directory.slice(holding.point === '/' ? 0 : holding.point.length)}`;
  return table
    .filter(({ device, root, point }) => device === holding.device && isAtOrBelow(root, inFileSystem) && point.startsWith(`${within}/`))
    .map(({ point }) => point);
}

function isAtOrBelow(path: string, parent: string): boolean {
  return path === parent || path.startsWith(parent === '/' ? parent : `${parent}/`);
}

async function mountTable(): Promise<MountEntry[]> {
  return parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));
}

async function mountPoints(): Promise<string[]> {
  return (await mountTable()).map(({ point }) => point);
}
