import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { Logger } from '../../../api/base/logger.ts';
import { pauseImageArchive, pauseImageName } from './pause-image.ts';
import { runProgram } from '../processes/run-program.ts';

/** containerd's namespace for images and containers of the CRI. */
const namespace = 'k8s.io';

/** Brings images from files into the node's store, where pods find them as if they had been pulled. */
interface ImageArchives {
  /** A docker or OCI archive; answers the names of the images in it. */
  load(file: string): Promise<string[]>;
  /** Loads every *.tar of a folder that is new or has changed, in the order of names. A broken one is reported and skipped. */
  loadAll(directory: string): Promise<string[]>;
  /** Makes and loads the image that sandboxes run. */
  loadPauseImage(architecture: string): Promise<void>;
}

interface ImageArchivesDependencies {
  readonly socket: string;
  /** The file that records which archives were loaded. It is beside the store and is deleted with it. */
  readonly record: string;
  readonly logger: Logger;
}

export function createImageArchives({ socket, record, logger }: ImageArchivesDependencies): ImageArchives {
  const ctr = (args: readonly string[], input?: Uint8Array) =>
    runProgram('ctr', ['--address', socket, '--namespace', namespace, 'images', ...args], input ? { input } : {});
  const load = async (file: string) => {
    const output = await ctr(['import', '--local', '--', file]).catch((error: Error) => {
      if (!/flag provided but not defined/.test(error.message)) throw error;
      return ctr(['import', '--', file]); // containerd 1.7 always imports through the client
    });
    const names = parseImportedNames(output);
    // No registry may have them: they are not removed when the disk is full. A name may look like a flag.
    for (const name of names) await ctr(['label', '--', name, 'io.cri-containerd.pinned=pinned']);
    return names;
  };
  return {
    load,
    async loadAll(directory) {
      const files = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.tar')); // no folder: nothing to load
      const loaded = await readLoaded(record);
      const names: string[] = [];
      for (const file of files.map((name) => `${directory}/${name}`).sort()) {
        const { mtimeMs, size } = await stat(file);
        const version = `${size} ${mtimeMs}`;
        if (loaded[file] === version) continue;
        try {
          names.push(...(await load(file)));
          loaded[file] = version;
        } catch (error) {
          logger.error('image archive cannot be loaded', { file, error });
        }
      }
      if (names.length > 0) await writeFile(record, JSON.stringify(loaded));
      return names;
    },
    async loadPauseImage(architecture) {
      const present = await ctr(['ls', '-q', `name==${pauseImageName}`]);
      if (present.trim() !== '') return;
      await ctr(['import', '-'], await pauseImageArchive(architecture));
    },
  };
}

async function readLoaded(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  } catch {
    return {}; // nothing loaded so far
  }
}

/** The names of images in the output of `ctr images import`. They may contain any characters, blanks included. */
export function parseImportedNames(output: string): string[] {
  return [...output.matchAll(/^unpacking (.+?)(?: \(sha256:[0-9a-f]+\).*|\.{3}.*)?$/gm)].map((match) => match[1] ?? '');
}
