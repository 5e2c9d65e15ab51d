import { constants } from 'node:fs';
import { mkdir, open, readFile, readlink, writeFile } from 'node:fs/promises';
import { pid } from 'node:process';
import { runProgram } from './run-program.ts';

export interface Mounts {
  /** A memory file system; `sizeBytes` absent: half of the memory, as the kernel does. */
  mountMemory(path: string, options: { readonly sizeBytes?: number }): Promise<void>;
  bind(source: string, target: string): Promise<void>;
  /**
   * Binds what lies at a path below `root` onto `target`, which is made as a file or a folder like it. Refuses with an error
   * what lies outside `root` once links are followed; it is opened first, so nobody can exchange it in between.
   */
  bindInside(root: string, path: string, target: string): Promise<void>;
  /** Lazily, so that a busy mount goes away with its last user. */
  unmount(path: string): Promise<void>;
  isMounted(path: string): Promise<boolean>;
  /** Mount points at or below a path, innermost first. */
  below(path: string): Promise<string[]>;
  /** Lets mounts made below the path be seen by containers that ask for it (mountPropagation). */
  makeShared(path: string): Promise<void>;
}

export function createMounts(): Mounts {
  const below = async (path: string) => {
    const points = await mountPoints();
    return points.filter((point) => point === path || point.startsWith(`${path}/`)).sort((a, b) => b.length - a.length);
  };
  const isMounted = async (path: string) => (await mountPoints()).includes(path);
  return {
    async mountMemory(path, { sizeBytes }) {
      const size = sizeBytes === undefined ? [] : ['-o', `size=${sizeBytes}`];
      await runProgram('mount', ['-t', 'tmpfs', ...size, 'tmpfs', path]);
    },
    async bind(source, target) {
      await runProgram('mount', ['--no-canonicalize', '--bind', source, target]);
    },
    async bindInside(root, path, target) {
      const handle = await open(`${root}/${path}`, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const real = await readlink(`/proc/self/fd/${handle.fd}`);
        if (real !== root && !real.startsWith(`${root}/`)) throw new Error(`subpath "${path}" is not within volume path "${root}"`);
        if ((await handle.stat()).isDirectory()) await mkdir(target, { recursive: true });
        else {
          await mkdir(target.slice(0, target.lastIndexOf('/')), { recursive: true });
          await writeFile(target, '');
        }
        await runProgram('mount', ['--no-canonicalize', '--bind', `/proc/${pid}/fd/${handle.fd}`, target]);
      } finally {
        await handle.close();
      }
    },
    async unmount(path) {
      if (await isMounted(path)) await runProgram('umount', ['--lazy', '--no-canonicalize', path]);
    },
    isMounted,
    below,
    async makeShared(path) {
      if (!(await isMounted(path))) await runProgram('mount', ['--bind', path, path]);
      await runProgram('mount', ['--make-shared', path]);
    },
  };
}

async function mountPoints(): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point !== '')
    .map((point) => point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}
