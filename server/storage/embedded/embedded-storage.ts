import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { createVersionedStorage } from '../mvcc/versioned-storage.ts';
import type { Storage } from '../storage.ts';
import { StorageError } from '../storage.ts';
import { checkStore, type ScanStore } from './check-store.ts';
import { DiskSpace } from './disk-space.ts';
import { lockDirectory } from './directory-lock.ts';
import { LMDBRecords } from './lmdb-records.ts';

export interface EmbeddedStorageOptions {
  /** Made if missing, readable by its owner alone: it holds Secrets. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Shown to a second process that wants the same directory. */
  readonly processID: number;
  /** Upper bound of the file's size. Default 64 GiB, of address space; disk is taken as needed. */
  readonly maxBytes?: number;
  /** For a file that may be damaged; absent: it is opened all the same. */
  readonly scanStore?: ScanStore;
  /** The address space that the process may still take; absent: without limit. */
  readonly addressSpaceBytes?: number;
  /** Commits are refused (StorageError 'no-space') while the disk has less than this free. Default 32 MiB. */
  readonly minFreeBytes?: number;
}

const defaultMaxBytes = 64 * 1024 ** 3;
/** The least map of the file, in a process whose address space is limited. */
const leastMapBytes = 1024 ** 3;
const mapUnit = 1024 ** 2;
const defaultMinFreeBytes = 32 * 1024 ** 2;

/**
 * The Storage of a control plane without etcd: LMDB in a directory of its own. An acknowledged commit survives SIGKILL and power loss.
 * Throws StorageError 'unavailable' while another process uses the directory.
 */
export async function openEmbeddedStorage(options: EmbeddedStorageOptions): Promise<Storage> {
  const { clock, logger } = options;
  const directory = resolve(options.directory);
  const startedMs = clock.monotonicMs();
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = await lockDirectory(directory, options.processID);
  try {
    const space = new DiskSpace(directory, options.minFreeBytes ?? defaultMinFreeBytes, clock);
    const file = join(directory, 'store.mdb');
    const check = await checkStore(directory, file, options);
    const records = new LMDBRecords(file, mapBytes(options), space);
    const { index, revision } = await records.recover();
    await check.passed();
    // a new file survives a power loss once its directory has been synced, and a new directory once its parent has
    await syncDirectory(directory);
    if (made !== undefined) await syncDirectory(dirname(made));
    logger.info('Opened the embedded store', {
      directory,
      revision,
      compactRevision: index.compactRevision,
      milliseconds: Math.round(clock.monotonicMs() - startedMs),
    });
    const storage = createVersionedStorage({ records, index, revision, clock });
    return {
      ...storage,
      // Blocks, not length: the file may have holes.
      sizeBytes: async () => (await stat(file)).blocks * 512,
      async close() {
        await storage.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** With less address space than the map takes LMDB ends the process. */
function mapBytes({ maxBytes = defaultMaxBytes, addressSpaceBytes }: EmbeddedStorageOptions): number {
  if (addressSpaceBytes === undefined) return maxBytes;
  const possible = Math.min(maxBytes, Math.floor(addressSpaceBytes / 2 / mapUnit) * mapUnit);
  if (possible >= leastMapBytes) return possible;
  const free = Math.floor(addressSpaceBytes / 1024 ** 2);
  throw new StorageError(
    'unavailable',
    `the embedded store needs ${(2 * leastMapBytes) / 1024 ** 2} MiB of address space, and ${free} MiB are left to this process: raise its limit (ulimit -v, LimitAS=)`,
  );
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
