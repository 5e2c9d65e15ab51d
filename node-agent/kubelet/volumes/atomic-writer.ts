import type { HostFiles } from '../../linux/host-files.ts';

export interface PayloadFile {
  readonly content: Uint8Array;
  readonly mode: number;
  /** Owner where it is not root. */
  readonly uid?: number;
}

/** Files of a volume by their path within it. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/**
 * Makes the files of a volume change all at once: they lie in a folder of their own, `..data` is a link to it that is
 * replaced by renaming, and what programs open are links through `..data`. True if something was written.
 */
export async function writeAtomically(
  files: HostFiles,
  directory: string,
  payload: Payload,
  options: { readonly fsGroup?: number; readonly unique: string },
): Promise<boolean> {
  await files.makeDirectory(directory);
  const current = await files.readLink(`${directory}/..data`);
  if (current !== undefined && (await isUnchanged(files, `${directory}/${current}`, payload))) return false;
  const fresh = `..${options.unique}`;
  await files.makeDirectory(`${directory}/${fresh}`, { mode: 0o755 });
  for (const [path, { content, mode, uid }] of payload) {
    await files.write(`${directory}/${fresh}/${path}`, content, uid === undefined ? { mode } : { mode, uid });
  }
  if (options.fsGroup !== undefined) await files.setGroupRecursively(`${directory}/${fresh}`, options.fsGroup, { readOnly: true });
  await files.remove(`${directory}/..data_tmp`);
  await files.symlink(fresh, `${directory}/..data_tmp`);
  await files.rename(`${directory}/..data_tmp`, `${directory}/..data`);
  await linkVisible(files, directory, payload);
  if (options.fsGroup !== undefined) await files.setGroupRecursively(directory, options.fsGroup, { readOnly: true });
  if (current !== undefined) await files.remove(`${directory}/${current}`);
  return true;
}

async function isUnchanged(files: HostFiles, directory: string, payload: Payload): Promise<boolean> {
  const present = new Set(await listFiles(files, directory));
  if (present.size !== payload.size) return false;
  for (const [path, { content, mode }] of payload) {
    if (!present.has(path)) return false;
    const facts = await files.facts(`${directory}/${path}`);
    if (facts?.sizeBytes !== content.byteLength || (facts.mode & mode) !== mode) return false;
    if (Buffer.compare(await files.readBytes(`${directory}/${path}`), content) !== 0) return false;
  }
  return true;
}

async function listFiles(files: HostFiles, directory: string, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.names(directory)) {
    const facts = await files.facts(`${directory}/${name}`);
    if (facts?.kind === 'directory') found.push(...(await listFiles(files, `${directory}/${name}`, `${prefix}${name}/`)));
    else found.push(prefix + name);
  }
  return found;
}

/** One link per first part of a path; links to what is not there any more go away. */
async function linkVisible(files: HostFiles, directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  const present = new Set((await files.names(directory)).filter((name) => !name.startsWith('..')));
  for (const name of wanted) if (!present.has(name)) await files.symlink(`..data/${name}`, `${directory}/${name}`);
  for (const name of present) if (!wanted.has(name)) await files.remove(`${directory}/${name}`);
}
