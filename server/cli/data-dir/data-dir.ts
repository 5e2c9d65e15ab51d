import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findProcessIdentity, isSameProcess } from './process-identity.ts';

/** The directory in which a cluster keeps everything it must not lose, and the files that tell other commands of a running one. */
export interface DataDir {
  readonly path: string;
  readonly adminKubeconfig: string;
  readonly pki: string;
  readonly storage: string;
  readonly images: string;
  readonly node: string;
}

export function defaultDataDirPath(): string {
  if (process.getuid?.() === 0) return '/var/lib/kubets';
  return path.join(process.env['XDG_DATA_HOME'] ?? path.join(os.homedir(), '.local/share'), 'kubets');
}

/**
 * Makes a folder and those above it. mkdirSync with `recursive` never returns where a file system refuses new folders as /proc
 * does, with ENOENT.
 */
function makeFolders(directory: string): void {
  if (existsSync(directory) && statSync(directory).isDirectory()) return;
  const parent = path.dirname(directory);
  if (parent !== directory) makeFolders(parent);
  mkdirSync(directory, { mode: 0o755 });
}

export function openDataDir(directory: string): DataDir {
  const absolute = path.resolve(directory);
  try {
    makeFolders(absolute);
  } catch (error) {
    throw new Error(`the data directory cannot be made (${(error as Error).message}); choose another with --data-dir`, { cause: error });
  }
  const images = path.join(absolute, 'images');
  mkdirSync(images, { recursive: true });
  return {
    path: absolute,
    adminKubeconfig: path.join(absolute, 'admin.kubeconfig'),
    pki: path.join(absolute, 'pki'),
    storage: path.join(absolute, 'storage'),
    images,
    node: path.join(absolute, 'node'),
  };
}

/** The record of a running control plane, by which other commands find it. */
export interface Instance {
  readonly pid: number;
  /** Absent if the system does not provide it. */
  readonly identity?: string;
  readonly server: string;
  readonly kubeconfig: string;
  /** Files with which it asks its etcd. */
  readonly etcd?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
  /** The files of the certificates to serve with, by their flags. Absent: it serves with its own certificate alone. */
  readonly serving?: readonly {
    readonly flag: string;
    readonly certificate: string;
    readonly key: string;
    readonly names: readonly string[];
  }[];
}

const instanceFile = (dataDir: string) => path.join(dataDir, 'instance.json');

/** Returns the error that kept the record from being written, for example a full disk: the cluster runs all the same, but is not found. */
export function writeInstance(dataDir: string, instance: Instance): string | undefined {
  const identity = findProcessIdentity(instance.pid);
  const note: Instance = { ...instance, ...(identity === undefined ? {} : { identity }) };
  return writeNote(instanceFile(dataDir), `${JSON.stringify(note, undefined, 2)}\n`);
}

/** Writes a process's record. Returns the error that kept it from being written; the file then describes another process. */
export function writeNote(file: string, text: string): string | undefined {
  try {
    writeFileAtomically(file, text, 0o644);
    return undefined;
  } catch (error) {
    rmSync(file, { force: true });
    return (error as Error).message;
  }
}

export function removeInstance(dataDir: string): void {
  rmSync(instanceFile(dataDir), { force: true });
}

/** The instance that runs on this data dir; undefined if none was started or it has died. */
export function findInstance(dataDir: string): Instance | undefined {
  const file = instanceFile(path.resolve(dataDir));
  const instance = existsSync(file) ? parseInstance(readFileSync(file, 'utf8')) : undefined;
  return instance !== undefined && isSameProcess(instance) ? instance : undefined;
}

/**
 * Undefined for a record that a power loss has left empty or cut. The data dir is protected by the lock of its store, not by the record.
 */
function parseInstance(text: string): Instance | undefined {
  try {
    const value: Partial<Instance> | null = JSON.parse(text);
    const { pid, server, kubeconfig } = value ?? {};
    return Number.isInteger(pid) && typeof server === 'string' && typeof kubeconfig === 'string' ? (value as Instance) : undefined;
  } catch {
    return undefined;
  }
}

export function getInstance(dataDir: string): Instance {
  const instance = findInstance(dataDir);
  if (!instance) {
    throw new Error(`no kubets is running on ${path.resolve(dataDir)}: start one with 'kubets up', or name another with --data-dir`);
  }
  return instance;
}

/**
 * A reader sees the old file or the new one, never half of one. A file with the right content is left alone, since the disk may be full.
 */
export function writeFileAtomically(file: string, text: string, mode: number): void {
  if (isWritten(file, text, mode)) return;
  const temporary = `${file}.${process.pid}.tmp`;
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    writeFileSync(temporary, text, { mode });
    chmodSync(temporary, mode);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function isWritten(file: string, text: string, mode: number): boolean {
  try {
    return (statSync(file).mode & 0o777) === mode && readFileSync(file, 'utf8') === text;
  } catch {
    return false; // not there
  }
}
