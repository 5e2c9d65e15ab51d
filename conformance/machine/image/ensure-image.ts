import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { runInNamespace } from './run-in-namespace.ts';
import { runProgram, runSuccessfully } from '../../framework/run-program.ts';
import { ensureClients } from '../../clients/support/ensure-clients.ts';
import type { Progress } from '../progress.ts';
import type { ImageVariant } from './variants.ts';
import { diskSize, imageFiles, imageKey, kernelPackage, rootFileSystemScript } from './recipe.ts';

const root = path.resolve(import.meta.dirname, '../../..');
/** The checkout's folder on the machine. */
export const checkoutFolder = '/root/kubets';

/** A disk, and the kernel and initrd that it is started with. None of the files is ever written to. */
export interface MachineImage {
  readonly disk: string;
  readonly diskFormat: 'raw' | 'qcow2';
  readonly kernel: string;
  readonly initrd: string;
}

interface ImageOptions {
  /** The folder in which images are kept. */
  readonly cache: string;
  readonly mirror: string;
  readonly variant: ImageVariant;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Returns the image of the machine, and makes it if its ingredients have changed. */
export async function ensureImage({ cache, mirror, variant, progress, signal }: ImageOptions): Promise<MachineImage> {
  const inputs = {
    kernelVersion: await newestKernel(),
    mirror,
    variant,
    packageLock: readFileSync(path.join(root, 'package-lock.json'), 'utf8'),
  };
  requirePackagesOf(inputs.packageLock);
  const folder = path.join(cache, imageKey(inputs));
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date());
    progress(`image ${path.basename(folder)} of ${cache}`);
  } else {
    removeUnused(cache);
    // Two may make it at once; the first to be done is used by both.
    const unfinished = `${folder}.${process.pid}`;
    try {
      await makeImage(unfinished, { mirror, variant, progress, signal });
      if (!existsSync(folder)) renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  const file = (name: string) => path.join(folder, name);
  return { disk: file('disk.img'), diskFormat: 'raw', kernel: file('vmlinuz'), initrd: file('initrd') };
}

/** The packages here go into the image, where none can be fetched. */
function requirePackagesOf(packageLock: string): void {
  const stamp = path.join(root, 'node_modules/.cache/kubets-lock');
  const wanted = createHash('sha256').update(packageLock).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted)
    throw new Error('the npm packages are not those of package-lock.json: node server/cli/bootstrap.mjs prepare');
}

async function newestKernel(): Promise<string> {
  const { stdout } = await runProgram('apt-cache', ['policy', kernelPackage]);
  return /^ {2}Candidate: (.*)$/m.exec(stdout)?.[1] ?? '';
}

async function makeImage(folder: string, { mirror, variant, progress, signal }: Omit<ImageOptions, 'cache'>): Promise<void> {
  const tree = path.join(folder, 'root');
  const files = path.join(folder, 'files');
  const log = path.join(folder, '..', 'image.log');
  mkdirSync(tree, { recursive: true });
  for (const [name, content] of imageFiles(mirror, variant)) {
    mkdirSync(path.dirname(path.join(files, name)), { recursive: true });
    writeFileSync(path.join(files, name), content);
  }
  progress(`making the root file system (${variant}) from ${mirror} (log: ${log})`);
  await runInNamespace(rootFileSystemScript(variant), [tree, mirror, files], { log, signal });
  progress('adding the npm packages and kubectl');
  const checkout = path.join(tree, checkoutFolder);
  mkdirSync(checkout, { recursive: true });
  const caches = path.join(realpathSync(path.join(root, 'node_modules')), '.cache');
  cpSync(realpathSync(path.join(root, 'node_modules')), path.join(checkout, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => path.dirname(file) !== caches || path.basename(file) === 'kubets-lock',
  });
  cpSync(ensureClients().newestKubectl, path.join(tree, 'usr/local/bin/kubectl'));
  const boot = path.join(tree, 'boot');
  for (const [prefix, name] of [
    ['vmlinuz-', 'vmlinuz'],
    ['initrd.img-', 'initrd'],
  ] as const) {
    const [file] = readdirSync(boot).filter((entry) => entry.startsWith(prefix));
    if (file === undefined) throw new Error(`the kernel package brought no ${prefix}*`);
    cpSync(path.join(boot, file), path.join(folder, name));
  }
  progress('writing the disk');
  await runSuccessfully('truncate', ['-s', diskSize, path.join(folder, 'disk.img')]);
  await runSuccessfully('mkfs.ext4', ['-q', '-d', tree, path.join(folder, 'disk.img')], { timeoutSeconds: 600 });
  rmSync(tree, { recursive: true });
  rmSync(files, { recursive: true });
}

/** Images that were unused for this long are removed when another one is made. */
const unusedMs = 14 * 24 * 3600 * 1000;

function removeUnused(cache: string): void {
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache).filter((entry) => /^[0-9a-f]{16}(\.\d+)?$/.test(entry))) {
    const folder = path.join(cache, name);
    if (Date.now() - statSync(folder).mtimeMs > unusedMs) rmSync(folder, { recursive: true, force: true });
  }
}
