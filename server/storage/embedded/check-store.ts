import { rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../../api/base/logger.ts';
import { StorageError } from '../storage.ts';
import { readStoreHeader } from './store-header.ts';

/** Reads a whole store in a separate process, which a damaged file may crash. */
export type ScanStore = (file: string) => Promise<StoreScan>;

interface StoreCheck {
  /** The store has been opened and read. */
  passed(): Promise<void>;
}

/**
 * Checks a store's file before it is mapped, since a damaged file would crash this process without a message. Another process reads all of
 * it if the file is shorter than it should be or if the last opening did not finish. Throws StorageError 'corrupt'.
 */
export async function checkStore(
  directory: string,
  file: string,
  { logger, scanStore }: { readonly logger: Logger; readonly scanStore?: ScanStore },
): Promise<StoreCheck> {
  const [created, opening] = [join(directory, 'store.created'), join(directory, 'store.opening')];
  const header = await readStoreHeader(file);
  if (header === undefined && existsSync(created))
    throw damaged(directory, file, 'it is missing or empty', `To begin with an empty store, remove ${created}.`);
  if (typeof header === 'string') throw damaged(directory, file, header);
  if (header && scanStore && (header.sizeBytes < header.usedBytes || existsSync(opening))) {
    logger.warn('Reading the embedded store before it is opened: it may be damaged', { file, ...header });
    const found = await scanStore(file);
    const cut = `it has ${header.sizeBytes} bytes, of which there should be ${header.usedBytes}`;
    const problem = header.sizeBytes < header.usedBytes ? cut : 'pages within it are damaged';
    if (!found.isComplete) throw damaged(directory, file, `${problem} (${found.problem})`, readable(found));
  }
  // On a full disk the marks cannot be written, but the stored data can be read.
  const mark = (path: string) => writeFile(path, '').catch(() => undefined);
  await mark(opening);
  return {
    async passed() {
      await mark(created);
      await rm(opening, { force: true });
    },
  };
}

/** The parts of a store that another process could read. */
export interface StoreScan {
  readonly isComplete: boolean;
  /** Why not all of it. */
  readonly problem: string;
  readonly count: number;
  /** The newest that was read. */
  readonly revision: number;
}

function readable({ count, revision }: StoreScan): string {
  return count === 0
    ? 'Nothing in it can be read.'
    : `${count} versions of objects, the newest of revision ${revision}, could be read before.`;
}

function damaged(directory: string, file: string, problem: string, more = ''): StorageError {
  const remedy = `Nothing was changed. Restore it from a backup of ${directory}, or move ${directory} away to begin with an empty store.`;
  return new StorageError('corrupt', `the store ${file} is damaged: ${problem}. ${remedy}${more === '' ? '' : ` ${more}`}`);
}
