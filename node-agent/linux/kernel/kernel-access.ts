import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { runProgram } from '../processes/run-program.ts';

/** The kernel as far as its modules and settings go. */
export interface KernelAccess {
  /** Undefined if there is no such file. */
  read(file: string): Promise<string | undefined>;
  exists(file: string): Promise<boolean>;
  write(file: string, value: string): Promise<void>;
  /** Rejects with the program's words. */
  loadModule(name: string): Promise<void>;
  /** Names in a folder; none if there is no such folder. */
  names(directory: string): Promise<readonly string[]>;
}

/** A module that waits for its device for ever must not hold up the node. */
const loadTimeoutMs = 60_000;

export function createKernelAccess(): KernelAccess {
  return {
    read: (file) => readFile(file, 'utf8').catch(() => undefined), // the kernel lacks it
    exists: (file) =>
      stat(file).then(
        () => true,
        () => false,
      ),
    write: (file, value) => writeFile(file, value),
    async loadModule(name) {
      await runProgram('modprobe', ['--', name], { signal: AbortSignal.timeout(loadTimeoutMs) });
    },
    names: (directory) => readdir(directory).catch(() => []), // the kernel lacks it
  };
}
