import type { StorageErrorReason } from '../storage.ts';
import { StorageError } from '../storage.ts';

/** Codes of LMDB (negative) and of the operating system. */
const reasons: Readonly<Record<number, StorageErrorReason>> = {
  [-30797]: 'corrupt', // MDB_PAGE_NOTFOUND
  [-30796]: 'corrupt', // MDB_CORRUPTED
  [-30793]: 'corrupt', // MDB_INVALID
  [-30792]: 'no-space', // MDB_MAP_FULL
  28: 'no-space', // ENOSPC
  122: 'no-space', // EDQUOT
};

/** A failed commit tells its cause in a promise of its own. */
export async function interpretLMDBError(error: unknown): Promise<StorageError> {
  const cause = await causeOf(error);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? Number(cause.code) : Number.NaN;
  const message = cause instanceof Error ? cause.message : String(cause);
  const isFull = /no space|MDB_MAP_FULL|mapsize/i.test(message);
  return new StorageError(reasons[code] ?? (isFull ? 'no-space' : 'unavailable'), `the embedded store cannot be written: ${message}`, {
    cause,
  });
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
