import type { StorageErrorReason } from '../storage.ts';
import { StorageError } from '../storage.ts';

const corruptions: readonly number[] = [
  -30797, // MDB_PAGE_NOTFOUND
  -30796, // MDB_CORRUPTED
  -30793, // MDB_INVALID
];

/**
 * The cause of a failed write, which LMDB reports in a promise of its own. Never 'no-space': after a write that the disk refused the
 * library is not safe to use, so a full disk must be foreseen (see DiskSpace), or else the process must be restarted.
 */
export async function interpretLMDBError(error: unknown): Promise<StorageError> {
  const cause = await causeOf(error);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? Number(cause.code) : Number.NaN;
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason: StorageErrorReason = corruptions.includes(code) ? 'corrupt' : 'unavailable';
  return new StorageError(reason, `the embedded store has failed and must be opened anew: ${message}`, { cause });
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
