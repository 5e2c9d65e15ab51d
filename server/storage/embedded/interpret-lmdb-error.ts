import { statfs } from 'node:fs/promises';
import type { StorageErrorReason } from '../storage.ts';
import { StorageError } from '../storage.ts';

const inputOutput = 5; // EIO

/** Codes of LMDB (negative) and of the operating system. */
const reasons: Readonly<Record<number, StorageErrorReason>> = {
  [-30797]: 'corrupt', // MDB_PAGE_NOTFOUND
  [-30796]: 'corrupt', // MDB_CORRUPTED
  [-30793]: 'corrupt', // MDB_INVALID
  [-30792]: 'no-space', // MDB_MAP_FULL
  28: 'no-space', // ENOSPC
  122: 'no-space', // EDQUOT
};

/** Less than this is no room for a group of commits. */
const roomBytes = 32 * 1024 * 1024;

/**
 * What went wrong with a write. A failed commit tells its cause in a promise of its own. LMDB calls it an I/O error when
 * the file could not grow by a whole group, which is what a full disk looks like: the free space tells the two apart.
 */
export async function interpretLMDBError(error: unknown, path: string): Promise<StorageError> {
  const cause = await causeOf(error);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? Number(cause.code) : Number.NaN;
  const message = cause instanceof Error ? cause.message : String(cause);
  const isFull = code === inputOutput && (await freeBytes(path)) < roomBytes;
  if (isFull) return new StorageError('no-space', `the embedded store cannot be written: no space left for ${path}`, { cause });
  return new StorageError(reasons[code] ?? 'unavailable', `the embedded store cannot be written: ${message}`, { cause });
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function causeOf(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}
