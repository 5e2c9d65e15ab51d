import { prefixEnd, type SealedValues, type Storage, type StoredEntry } from '../storage.ts';

/** Small enough for a message of etcd, large enough to be few. */
const pageSize = 1000;

interface PagesOptions extends SealedValues {
  readonly prefix: string;
}

/** Reads all entries below a prefix at one revision, page by page. */
export async function readPages(
  storage: Pick<Storage, 'range'>,
  { prefix, acceptsSealed = false }: PagesOptions,
  take: (entries: readonly StoredEntry[]) => void,
): Promise<{ readonly revision: number }> {
  const options = { end: prefixEnd(prefix), limit: pageSize, acceptsSealed, wantsCount: false };
  let page = await storage.range({ ...options, start: prefix });
  const { revision } = page;
  take(page.entries);
  while (page.more) {
    page = await storage.range({ ...options, start: `${page.entries.at(-1)?.key ?? prefix}\0`, revision });
    take(page.entries);
  }
  return { revision };
}
