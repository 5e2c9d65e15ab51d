import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StorageError } from '../storage.ts';

export interface DirectoryLock {
  /** May be called again. */
  release(): void;
}

const sqliteBusy = 5;

/**
 * Keeps every other process out of a data directory for as long as this one lives. Node offers no file locks; SQLite
 * does: an exclusive transaction on an otherwise empty file is one, the kernel drops it when the process dies, however it
 * dies, and it holds across containers that share the directory. Throws StorageError 'unavailable' if it is taken.
 */
export async function lockDirectory(directory: string, processID: number): Promise<DirectoryLock> {
  const ownerFile = join(directory, 'lock.pid');
  const database = new DatabaseSync(join(directory, 'lock'));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (!(cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy)) throw cause;
    const owner = await readFile(ownerFile, 'utf8').catch(() => 'unknown');
    throw new StorageError('unavailable', `the data directory ${directory} is in use by another process (pid ${owner.trim()})`, { cause });
  }
  // For people only: on a full disk the lock holds without it.
  await writeFile(ownerFile, `${processID}\n`).catch(() => undefined);
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}
