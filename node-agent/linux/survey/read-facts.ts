import { readdir, readFile, statfs } from 'node:fs/promises';
import type { DirectoryFacts } from './surveyed-machine.ts';

/** Content without surrounding white space; empty where the file cannot be read. */
export async function textOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim(); // machines differ in the files they have
}

export async function linesOf(path: string): Promise<string[]> {
  return (await textOf(path)).split('\n').filter((line) => line !== '');
}

/** Undefined where there is no such folder, or it cannot be read. */
export async function findNames(directory: string): Promise<string[] | undefined> {
  return await readdir(directory).catch(() => undefined); // machines differ in the folders they have
}

/** Facts about the path, or the nearest existing directory above it. */
export async function directoryFacts(path: string): Promise<DirectoryFacts> {
  try {
    const { bsize, blocks, bavail, files, ffree } = await statfs(path);
    return { path, capacityBytes: bsize * blocks, availableBytes: bsize * bavail, inodes: files, inodesFree: ffree };
  } catch (error) {
    if (path === '/') throw error;
    return { ...(await directoryFacts(path.slice(0, path.lastIndexOf('/')) || '/')), path };
  }
}
