import { createHash } from 'node:crypto';
import { createWriteStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';

/** A file system tree: path without leading '/' -> its entry. */
export type Tree = Map<string, Entry>;

type Entry =
  | { readonly kind: 'file'; readonly content: Buffer; readonly mode: number; readonly uid?: number; readonly gid?: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly mode: number; readonly uid?: number; readonly gid?: number };

export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

/** Adds a file or link of this machine, following links so that the target is there too. */
export function addFromMachine(tree: Tree, source: string, destination = source): void {
  const stat = lstatSync(source);
  const at = destination.replace(/^\//, '');
  if (tree.has(at)) return;
  if (stat.isSymbolicLink()) {
    const target = readlinkSync(source);
    tree.set(at, { kind: 'link', target });
    addFromMachine(tree, path.resolve(path.dirname(source), target));
  } else if (stat.isDirectory()) {
    tree.set(at, { kind: 'directory', mode: stat.mode & 0o7777 });
    for (const name of readdirSync(source)) addFromMachine(tree, path.join(source, name), path.join(destination, name));
  } else if (stat.isFile()) tree.set(at, { kind: 'file', content: readFileSync(source), mode: stat.mode & 0o7777 });
}

export function addText(tree: Tree, destination: string, text: string, mode = 0o644): void {
  tree.set(destination.replace(/^\//, ''), { kind: 'file', content: Buffer.from(text), mode });
}

export function addDirectory(tree: Tree, destination: string, mode = 0o755, owner?: { uid: number; gid: number }): void {
  tree.set(destination.replace(/^\//, ''), { kind: 'directory', mode, ...owner });
}

async function packTree(tree: Tree): Promise<Buffer> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const done = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Buffer);
  })();
  const parents = new Set<string>();
  const epoch = new Date(0);
  // Some runtimes do not follow a link whose target comes later, so each entry is written under its real path.
  const places = new Map([...tree].map(([name, entry]) => [realPlace(tree, name), entry]));
  for (const [name, entry] of [...places].sort(([a], [b]) => (a < b ? -1 : 1))) {
    addParents(tar, name, places, parents);
    const owner = { uid: ('uid' in entry && entry.uid) || 0, gid: ('gid' in entry && entry.gid) || 0, mtime: epoch };
    if (entry.kind === 'file') tar.entry({ name, mode: entry.mode, ...owner }, entry.content);
    else if (entry.kind === 'link') tar.entry({ name, type: 'symlink', linkname: entry.target, mtime: epoch });
    else if (!parents.has(name)) {
      parents.add(name);
      tar.entry({ name: `${name}/`, type: 'directory', mode: entry.mode, ...owner });
    }
  }
  tar.finalize();
  await done;
  return Buffer.concat(chunks);
}

/** The path with the links among its parents followed, if they lead into the tree. */
function realPlace(tree: Tree, name: string): string {
  const parts = name.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = tree.get(parts.slice(0, depth).join('/'));
    if (parent?.kind !== 'link') continue;
    const target = path.posix.resolve('/', ...parts.slice(0, depth - 1), parent.target).slice(1);
    return realPlace(tree, [target, ...parts.slice(depth)].join('/'));
  }
  return name;
}

function addParents(tar: Pack, name: string, places: Tree, written: Set<string>): void {
  const parts = name.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = parts.slice(0, depth).join('/');
    if (written.has(parent)) continue;
    written.add(parent);
    const known = places.get(parent);
    const mode = known?.kind === 'directory' ? known.mode : 0o755;
    tar.entry({ name: `${parent}/`, type: 'directory', mode, mtime: new Date(0) });
  }
}

/** Writes a docker archive with one layer, byte for byte the same for the same tree. */
export async function writeArchive(file: string, reference: string, tree: Tree, config: ImageConfig): Promise<void> {
  const layer = await packTree(tree);
  const digest = createHash('sha256').update(layer).digest('hex');
  const created = '1970-01-01T00:00:00Z';
  const image = {
    created,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], WorkingDir: '/', ...config },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created, created_by: reference }],
  };
  const tar = pack();
  const writing = pipeline(tar, createWriteStream(file));
  const add = (name: string, content: string | Buffer) => tar.entry({ name, mtime: new Date(0) }, content);
  add('manifest.json', JSON.stringify([{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }]));
  add('config.json', JSON.stringify(image));
  add('layer.tar', layer);
  tar.finalize();
  await writing;
}
