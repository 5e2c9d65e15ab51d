import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { pid } from 'node:process';
import { makeDirectoryInside, openDirectory, type OpenDirectory, walkTree, withEntry } from './open-directory.ts';
import { removeTree } from './remove-tree.ts';
import { runProgram } from '../processes/run-program.ts';
import type { FileOwner } from './file-owner.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'socket' | 'characterDevice' | 'blockDevice' | 'fifo';

export interface FileFacts {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly gid: number;
  readonly inode: number;
  /** Device number of the file system that it lies on. */
  readonly deviceNumber: number;
}

export interface DiskUsage {
  /** Size of its blocks. */
  readonly bytes: number;
  readonly inodes: number;
}

/** A file that is read while others write it. */
export interface OpenFile {
  read(position: number, maxBytes: number): Promise<Uint8Array>;
  sizeBytes(): Promise<number>;
  inode(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The node's file system as far as the kubelet needs it. Paths are absolute, and their directories are the node's own: below a volume,
 * where containers may create links at any moment, only the functions that follow no links may be used.
 */
export interface HostFiles {
  readText(path: string): Promise<string>;
  /** Undefined if there is no such file. */
  findText(path: string): Promise<string | undefined>;
  readBytes(path: string): Promise<Uint8Array>;
  /** Creates missing parent directories and replaces an existing file. */
  write(path: string, content: string | Uint8Array, owner?: FileOwner): Promise<void>;
  makeDirectory(path: string, owner?: FileOwner): Promise<void>;
  /**
   * Creates the missing directories of a path below a volume that containers write in; each new directory gets the owner. Never leaves the
   * volume.
   */
  makeDirectoryInside(root: string, path: string, owner: FileOwner): Promise<void>;
  /** Holds a directory, to work in it without following links. */
  openDirectory(path: string): Promise<OpenDirectory>;
  /** Recursively, whatever is there; nothing there is fine. Follows no links below the path. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string | undefined>;
  realPath(path: string): Promise<string>;
  /** Names in a folder; none if there is no such folder. */
  names(directory: string): Promise<string[]>;
  /** Follows links unless told not to. */
  facts(path: string, options?: { readonly followLinks: boolean }): Promise<FileFacts | undefined>;
  setOwner(path: string, owner: FileOwner): Promise<void>;
  /** Follows no links. */
  setGroupRecursively(directory: string, gid: number, options?: { readonly readOnly: boolean }): Promise<void>;
  open(path: string): Promise<OpenFile>;
  stream(path: string): AsyncIterable<Uint8Array>;
  /** Yields one item per change in the folder. */
  changes(directory: string, signal: AbortSignal): AsyncIterable<string>;
  /** Bytes and inodes of the file system that holds the path. */
  capacity(path: string): Promise<{
    readonly capacityBytes: number;
    readonly availableBytes: number;
    readonly inodes: number;
    readonly inodesFree: number;
  }>;
  /** Usage by everything in a folder on the same file system, links not followed; undefined if there is nothing of that name. */
  diskUsage(path: string): Promise<DiskUsage | undefined>;
}

/** Undefined instead of ENOENT. */
async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

export function createHostFiles(): HostFiles {
  return {
    readText: (path) => fs.readFile(path, 'utf8'),
    findText: (path) => orUndefined(fs.readFile(path, 'utf8')),
    readBytes: (path) => fs.readFile(path),
    async write(path, content, owner = {}) {
      await fs.mkdir(path.slice(0, path.lastIndexOf('/')) || '/', { recursive: true });
      await fs.writeFile(path, content);
      await setOwner(path, owner);
    },
    async makeDirectory(path, owner = {}) {
      await fs.mkdir(path, { recursive: true });
      await setOwner(path, owner);
    },
    makeDirectoryInside,
    openDirectory,
    remove: removeTree,
    rename: (from, to) => fs.rename(from, to),
    symlink: (target, path) => fs.symlink(target, path),
    readLink: (path) => orUndefined(fs.readlink(path)),
    realPath: (path) => fs.realpath(path),
    names: async (directory) => (await orUndefined(fs.readdir(directory))) ?? [],
    facts: factsOf,
    setOwner,
    setGroupRecursively,
    open: openFile,
    stream: (path) => createReadStream(path),
    async *changes(directory, signal) {
      try {
        for await (const change of fs.watch(directory, { signal })) yield change.filename ?? '';
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    async capacity(path) {
      const { bsize, blocks, bavail, files, ffree } = await fs.statfs(path);
      return { capacityBytes: bsize * blocks, availableBytes: bsize * bavail, inodes: files, inodesFree: ffree };
    },
    diskUsage,
  };
}

async function factsOf(path: string, { followLinks } = { followLinks: true }): Promise<FileFacts | undefined> {
  const stat = await orUndefined(followLinks ? fs.stat(path) : fs.lstat(path));
  if (!stat) return undefined;
  let kind: FileKind = 'file';
  if (stat.isDirectory()) kind = 'directory';
  else if (stat.isSymbolicLink()) kind = 'symlink';
  else if (stat.isSocket()) kind = 'socket';
  else if (stat.isCharacterDevice()) kind = 'characterDevice';
  else if (stat.isBlockDevice()) kind = 'blockDevice';
  else if (stat.isFIFO()) kind = 'fifo';
  return { kind, sizeBytes: stat.size, mode: stat.mode & 0o7777, gid: stat.gid, inode: stat.ino, deviceNumber: stat.dev };
}

async function setOwner(path: string, { mode, uid, gid }: FileOwner): Promise<void> {
  if (uid !== undefined || gid !== undefined) {
    const now = await fs.stat(path);
    await fs.chown(path, uid ?? now.uid, gid ?? now.gid);
  }
  if (mode !== undefined) await fs.chmod(path, mode); // after chown, which clears the set-group-id bit
}

/** How deep directories may be nested for each of these: every level takes a descriptor of the agent. */
const maxGroupedDepth = 512;
const maxMeasuredDepth = 100;

/** Gives a volume to fsGroup: the group owns everything and may read it (and write it, unless read-only), new entries inherit the group. */
async function setGroupRecursively(root: string, gid: number, { readOnly } = { readOnly: false }): Promise<void> {
  const access = readOnly ? 0o440 : 0o660;
  await walkTree(root, async ({ path, depth }) => {
    if (depth > maxGroupedDepth) throw new Error(`directories of ${root} are nested more than ${maxGroupedDepth} deep`);
    // Mode and owner are read from the very file that they are written to, whatever has its name by then.
    await withEntry(path, async (held, stat) => {
      await fs.chown(held, stat.uid, gid);
      if (stat.isSymbolicLink()) return; // a link has no mode of its own
      // All of the mode is written: setting the owner clears set-user-id and set-group-id bits.
      await fs.chmod(held, (stat.mode & 0o7777) | access | (stat.isDirectory() ? 0o2110 : 0));
    });
    return true;
  });
}

const blockBytes = 512;

/** Files that vanish meanwhile are not counted; a file with several names is counted once. */
async function diskUsage(root: string): Promise<DiskUsage | undefined> {
  const counted = new Set<number>();
  const usage = { bytes: 0, inodes: 0 };
  let device: number | undefined;
  await walkTree(root, async ({ path, stat, depth }) => {
    device ??= stat.dev;
    if (stat.dev !== device || counted.has(stat.ino)) return false;
    if (depth >= maxMeasuredDepth && stat.isDirectory()) {
      const deep = await measureDeep(path);
      usage.bytes += deep.bytes;
      usage.inodes += deep.inodes;
      return false;
    }
    if (stat.nlink > 1 && !stat.isDirectory()) counted.add(stat.ino);
    usage.bytes += stat.blocks * blockBytes;
    usage.inodes++;
    return true;
  });
  return device === undefined ? undefined : usage;
}

/** The usage of a directory that lies deeper than there are descriptors to spare; `du` needs none for its way. */
async function measureDeep(path: Buffer): Promise<DiskUsage> {
  const usage = { bytes: 0, inodes: 0 };
  await withEntry(path, async (held) => {
    const place = `${held.replace('/proc/self/', `/proc/${pid}/`)}/.`;
    const sum = async (unit: string) =>
      Number.parseInt(await runProgram('du', ['--summarize', '--one-file-system', unit, '--', place]), 10);
    usage.bytes = await sum('--block-size=1');
    usage.inodes = await sum('--inodes');
  });
  return usage;
}

async function openFile(path: string): Promise<OpenFile> {
  const handle = await fs.open(path, 'r');
  return {
    async read(position, maxBytes) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(maxBytes), 0, maxBytes, position);
      return buffer.subarray(0, bytesRead);
    },
    sizeBytes: async () => (await handle.stat()).size,
    inode: async () => (await handle.stat()).ino,
    close: () => handle.close(),
  };
}
