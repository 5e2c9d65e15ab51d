import { open, readFile } from 'node:fs/promises';
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
  // SQLite would make it readable by everybody, and a reader can hold it.
  await makePrivate(join(directory, 'lock'));
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
  await makePrivate(ownerFile, `${processID}\n`).catch(() => undefined);
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}

/** Makes a file that only its owner may open, or removes the rights of others from an existing one; `text` replaces its content. */
async function makePrivate(file: string, text?: string): Promise<void> {
  const handle = await open(file, text === undefined ? 'a' : 'w', 0o600);
  try {
    await handle.chmod(0o600);
    if (text !== undefined) await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}
