import type { HostFiles } from '../../linux/files/host-files.ts';
import type { OpenDirectory } from '../../linux/files/open-directory.ts';

export interface PayloadFile {
  readonly content: Uint8Array;
  readonly mode: number;
  /** Owner where it is not root. */
  readonly uid?: number;
}

/** Files of a volume by their path within it. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/** Names of the folders that this file makes. A link `..data` that means anything else was not made here. */
const ownFolder = /^\.\.[0-9a-f]+$/;

/**
 * Makes the files of a volume change all at once: they lie in a folder of their own, `..data` is a link to it that is
 * replaced by renaming, and what programs open are links through `..data`. True if something was written. Works in the
 * directory itself, held open, and follows no links in it: a container that can write there must not lead it elsewhere.
 * `unique`: hexadecimal digits.
 */
export async function writeAtomically(
  files: HostFiles,
  directory: string,
  payload: Payload,
  options: { readonly fsGroup?: number; readonly unique: string },
): Promise<boolean> {
  const fresh = `..${options.unique}`;
  if (!ownFolder.test(fresh)) throw new Error(`${JSON.stringify(options.unique)} are no hexadecimal digits`);
  await files.makeDirectory(directory);
  const volume = await files.openDirectory(directory);
  try {
    const link = await volume.readLink('..data');
    const current = link !== undefined && ownFolder.test(link) ? link : undefined;
    if (current !== undefined && (await isUnchanged(files, volume, { directory, current }, payload))) return false;
    await volume.makeDirectory(fresh, { mode: 0o755 });
    for (const [path, { content, mode, uid }] of payload) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      await volume.makeDirectory(`${fresh}/${parent}`);
      await volume.writeNew(`${fresh}/${path}`, content, uid === undefined ? { mode } : { mode, uid });
    }
    if (options.fsGroup !== undefined) await files.setGroupRecursively(`${directory}/${fresh}`, options.fsGroup, { readOnly: true });
    await volume.remove('..data_tmp');
    await volume.symlink(fresh, '..data_tmp');
    if (link === undefined) await volume.remove('..data'); // no link: a rename would not replace a directory
    await volume.rename('..data_tmp', '..data');
    await linkVisible(volume, payload);
    if (options.fsGroup !== undefined) await files.setGroupRecursively(directory, options.fsGroup, { readOnly: true });
    for (const name of await volume.names()) if (ownFolder.test(name) && name !== fresh) await volume.remove(name);
    return true;
  } finally {
    await volume.close();
  }
}

async function isUnchanged(
  files: HostFiles,
  volume: OpenDirectory,
  { directory, current }: { readonly directory: string; readonly current: string },
  payload: Payload,
): Promise<boolean> {
  const present = new Set(await listFiles(files, `${directory}/${current}`));
  if (present.size !== payload.size) return false;
  for (const [path, { content, mode }] of payload) {
    if (!present.has(path)) return false;
    const file = await volume.findFile(`${current}/${path}`, content.byteLength);
    if (file === undefined || (file.mode & mode) !== mode || Buffer.compare(file.content, content) !== 0) return false;
  }
  return true;
}

async function listFiles(files: HostFiles, directory: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.names(directory)) {
    const facts = await files.facts(`${directory}/${name}`, { followLinks: false });
    if (facts?.kind === 'directory') found.push(...(await listFiles(files, `${directory}/${name}`, `${prefix}${name}/`)));
    else found.push(prefix + name);
  }
  return found;
}

/** Makes one link for each first part of a path, and removes links to files that are gone. */
async function linkVisible(volume: OpenDirectory, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  const present = new Set((await volume.names()).filter((name) => !name.startsWith('..')));
  for (const name of wanted) if (!present.has(name)) await volume.symlink(`..data/${name}`, name);
  for (const name of present) if (!wanted.has(name)) await volume.remove(name);
}
