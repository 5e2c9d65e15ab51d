import { open } from 'node:fs/promises';

/** Facts of LMDB's format (liblmdb/mdb.c, MDB_meta): the first two pages say where all others are. */
const magic = 0xbeefc0de;
const metaFlag = 0x08;
const at = { flags: 18, magic: 24, pageSize: 48, lastPage: 144, transaction: 152 } as const;
const headerBytes = 160;
const pageSizes = [4096, 8192, 16_384, 32_768, 65_536];

interface StoreHeader {
  readonly sizeBytes: number;
  /** Up to where pages are in use. The last of them may never have been written. */
  readonly usedBytes: number;
}

/**
 * Reads the beginning of a store's file without mapping it, since LMDB crashes the process on a damaged file. undefined: there is no file,
 * or an empty one. A text: the damage.
 */
export async function readStoreHeader(file: string): Promise<StoreHeader | string | undefined> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    if (size === 0) return undefined;
    const read = async (position: number) => {
      const bytes = Buffer.alloc(headerBytes);
      await handle.read(bytes, 0, headerBytes, position);
      return bytes;
    };
    const first = await read(0);
    const pageSize = first.readUInt32LE(at.pageSize);
    if (!isMeta(first) || !pageSizes.includes(pageSize)) return 'its first page is not that of a store';
    const second = await read(pageSize);
    if (!isMeta(second) || second.readUInt32LE(at.pageSize) !== pageSize) return 'its second page is not that of a store';
    const newest = first.readBigUInt64LE(at.transaction) > second.readBigUInt64LE(at.transaction) ? first : second;
    return { sizeBytes: size, usedBytes: (Number(newest.readBigUInt64LE(at.lastPage)) + 1) * pageSize };
  } finally {
    await handle.close();
  }
}

function isMeta(page: Buffer): boolean {
  return page.readUInt32LE(at.magic) === magic && (page.readUInt16LE(at.flags) & metaFlag) !== 0;
}
