import type { FileKind, HostFiles } from '../../linux/files/host-files.ts';

const kinds: Readonly<Record<string, { readonly kind: FileKind; readonly noun: string }>> = {
  Directory: { kind: 'directory', noun: 'a directory' },
  File: { kind: 'file', noun: 'a file' },
  Socket: { kind: 'socket', noun: 'a socket file' },
  CharDevice: { kind: 'characterDevice', noun: 'a character device' },
  BlockDevice: { kind: 'blockDevice', noun: 'a block device' },
};

/** Checks the path of a hostPath volume, and creates it if its type demands that. Throws an Error with upstream's message. */
export async function prepareHostPath(files: HostFiles, path: string, type: string): Promise<void> {
  if (type === '') return;
  const present = await files.facts(path);
  const wanted = kinds[type.replace(/OrCreate$/, '')];
  if (!wanted) throw new Error(`${type} is an invalid volume type`);
  if (!present && type === 'DirectoryOrCreate') return files.makeDirectory(path, { mode: 0o755 });
  if (!present && type === 'FileOrCreate') return files.write(path, '', { mode: 0o644 });
  if (present?.kind !== wanted.kind) throw new Error(`hostPath type check failed: ${path} is not ${wanted.noun}`);
}
