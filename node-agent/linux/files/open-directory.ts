import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { pid } from 'node:process';
import { removeTree } from './remove-tree.ts';
import type { FileOwner } from './file-owner.ts';

/** Linux' O_PATH on all architectures that Node runs on; Node does not name it. */
export const openPath = 0o10000000;
/** Opens whatever is there without reading it; a link is opened itself. */
const entryFlags = openPath | constants.O_NOFOLLOW;
const directoryFlags = openPath | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const newFileFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * A directory held by its descriptor. What is done here happens in this directory, though containers may exchange names on
 * the way to it or in it at any moment, and no link is followed. Names are single names, paths are relative.
 */
export interface OpenDirectory {
  names(): Promise<string[]>;
  /** Creates the missing directories of a path and sets the owner of the last one. Rejects if there is a link in the path. */
  makeDirectory(path: string, owner?: FileOwner): Promise<void>;
  /** Writes a file that is not there yet. */
  writeNew(path: string, content: Uint8Array, owner?: FileOwner): Promise<void>;
  /** A regular file of that size; undefined if there is none. */
  findFile(path: string, sizeBytes: number): Promise<{ readonly content: Uint8Array; readonly mode: number } | undefined>;
  symlink(target: string, name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Undefined if there is no link of that name. */
  readLink(name: string): Promise<string | undefined>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a directory whose own path is the node's; a link in its place is refused. */
export async function openDirectory(path: string): Promise<OpenDirectory> {
  const root = await fs.open(path, directoryFlags);
  const withParent = <T>(relative: string, use: (entry: string) => Promise<T>): Promise<T> => {
    const parts = partsOf(relative);
    const name = parts.pop() ?? '';
    return withDirectory(root, parts, { create: false }, (parent) => use(entryOf(parent, name)));
  };
  return {
    names: () => fs.readdir(pathOf(root)),
    makeDirectory: (relative, owner = {}) =>
      withDirectory(root, partsOf(relative), { create: true }, (directory) => setOwnerOf(directory, owner)),
    writeNew: (relative, content, owner = {}) =>
      withParent(relative, async (entry) => {
        const file = await fs.open(entry, newFileFlags, 0o600);
        try {
          await file.writeFile(content);
          await setOwnerOf(file, owner);
        } finally {
          await file.close();
        }
      }),
    findFile: async (relative, sizeBytes) => orGone(withParent(relative, (entry) => readRegularFile(entry, sizeBytes))),
    symlink: (target, name) => withParent(name, (entry) => fs.symlink(target, entry)),
    rename: (from, to) => fs.rename(entryOf(root, from), entryOf(root, to)),
    async readLink(name) {
      try {
        return await fs.readlink(entryOf(root, name));
      } catch (error) {
        if (hasCode(error, 'ENOENT', 'EINVAL')) return undefined; // EINVAL: no link
        throw error;
      }
    },
    remove: (name) => removeTree(entryOf(root, name).replace('/proc/self/', `/proc/${pid}/`)),
    close: () => root.close(),
  };
}

/**
 * Creates the missing directories of `relative` below `root`. Existing links are followed if they stay within `root`; then the whole path
 * is walked again without links, so that a link created meanwhile causes an error.
 */
export async function makeDirectoryInside(root: string, relative: string, owner: FileOwner): Promise<void> {
  const parts = partsOf(relative);
  for (let count = parts.length; count >= 0; count--) {
    const existing = [root, ...parts.slice(0, count)].join('/');
    if (!(await exists(existing))) continue;
    const real = await fs.realpath(existing);
    if (real !== root && !real.startsWith(`${root}/`)) throw new Error(`subpath "${relative}" is not within volume path "${root}"`);
    const below = real === root ? [] : real.slice(root.length + 1).split('/');
    const missing = parts.slice(count);
    const handle = await fs.open(root, directoryFlags);
    try {
      const settle = (directory: fs.FileHandle, isNew: boolean) => (isNew ? setOwnerOf(directory, owner) : Promise.resolve());
      await withDirectory(handle, below, { create: false }, (directory) =>
        withDirectory(directory, missing, { create: true, onOpen: settle }, async () => {}),
      );
    } finally {
      await handle.close();
    }
    return;
  }
  throw new Error(`there is no directory ${root}`);
}

/** An entry of a tree. Its path goes through the descriptor of its directory, so that only its own name is looked up. */
interface TreeEntry {
  readonly path: Buffer;
  readonly stat: Stats;
  readonly depth: number;
}

/**
 * Calls `visit` for the path and everything below it, parents first, and enters directories for which it returns true. Names are bytes, as
 * in the kernel. Entries that vanish meanwhile are left out. One descriptor is open for each level, so `visit` has to bound the depth.
 */
export async function walkTree(path: string | Buffer, visit: (entry: TreeEntry) => Promise<boolean>, depth = 0): Promise<void> {
  const stat = await orGone(fs.lstat(path));
  if (!stat || !(await visit({ path: Buffer.from(path), stat, depth })) || !stat.isDirectory()) return;
  const handle = await orGone(fs.open(path, directoryFlags));
  if (handle === undefined) return;
  try {
    for (const name of await fs.readdir(pathOf(handle), { encoding: 'buffer' })) {
      await walkTree(Buffer.concat([Buffer.from(`${pathOf(handle)}/`), name]), visit, depth + 1);
    }
  } finally {
    await handle.close();
  }
}

/** Opens an entry of any kind (a link itself) and calls `use` with a path to it that stays valid even if the name is exchanged. */
export async function withEntry(path: Buffer, use: (path: string, stat: Stats) => Promise<void>): Promise<void> {
  const handle = await orGone(fs.open(path, entryFlags));
  if (handle === undefined) return;
  try {
    await use(pathOf(handle), await handle.stat());
  } finally {
    await handle.close();
  }
}

async function readRegularFile(path: string, sizeBytes: number) {
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size !== sizeBytes) return undefined;
    return { content: await file.readFile(), mode: stat.mode & 0o7777 };
  } finally {
    await file.close();
  }
}

/** Undefined for an entry that does not exist, or is no longer a directory or a file. */
async function orGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** The path of a descriptor in /proc, which refers to the opened entry itself. */
function pathOf(handle: fs.FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}

interface WalkOptions {
  readonly create: boolean;
  readonly onOpen?: (directory: fs.FileHandle, isNew: boolean) => Promise<void>;
}

/** Opens one name after the other, each in the directory before it. */
async function withDirectory<T>(
  from: fs.FileHandle,
  [name, ...rest]: readonly string[],
  options: WalkOptions,
  use: (directory: fs.FileHandle) => Promise<T>,
): Promise<T> {
  if (name === undefined) return use(from);
  const path = entryOf(from, name);
  const isNew = options.create && (await makeIfMissing(path));
  const next = await fs.open(path, directoryFlags);
  try {
    await options.onOpen?.(next, isNew);
    return await withDirectory(next, rest, options, use);
  } finally {
    await next.close();
  }
}

async function makeIfMissing(path: string): Promise<boolean> {
  try {
    await fs.mkdir(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** By the descriptor's own path, since a descriptor of O_PATH cannot be changed by itself. */
async function setOwnerOf(handle: fs.FileHandle, { mode, uid, gid }: FileOwner): Promise<void> {
  if (uid !== undefined || gid !== undefined) {
    const now = await handle.stat();
    await fs.chown(pathOf(handle), uid ?? now.uid, gid ?? now.gid);
  }
  if (mode !== undefined) await fs.chmod(pathOf(handle), mode); // after chown, which clears the set-group-id bit
}

async function exists(path: string): Promise<boolean> {
  try {
    await fs.lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function entryOf(directory: fs.FileHandle, name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new Error(`${JSON.stringify(name)} is no name of an entry`);
  return `${pathOf(directory)}/${name}`;
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
