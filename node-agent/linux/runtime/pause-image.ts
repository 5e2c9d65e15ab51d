import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pack } from 'tar-stream';
import { toDate } from '../../../api/meta/time.ts';

/** Name of the image that sandboxes run: made here, since a node must come up without any registry. */
export const pauseImageName = 'localhost/kubets/pause:1';

/** A static program that sleeps until SIGTERM and reaps orphans when run with `-P` (Debian package catatonit). */
export const pauseProgram = '/usr/bin/catatonit';

/** The pause image as a docker archive: one layer with one static program. The bytes are the same every time. */
export async function pauseImageArchive(architecture: string): Promise<Uint8Array> {
  const layer = await tarOf([{ name: 'pause', mode: 0o755, content: await readFile(pauseProgram) }]);
  const config = JSON.stringify({
    created: '1970-01-01T00:00:00Z',
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/pause', '-P'], WorkingDir: '/', User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'kubets' }],
  });
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: [pauseImageName], Layers: ['layer.tar'] }]);
  return tarOf([
    { name: 'manifest.json', mode: 0o644, content: Buffer.from(manifest) },
    { name: 'config.json', mode: 0o644, content: Buffer.from(config) },
    { name: 'layer.tar', mode: 0o644, content: layer },
  ]);
}

async function tarOf(files: readonly { readonly name: string; readonly mode: number; readonly content: Buffer }[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, mode, content } of files) archive.entry({ name, mode, mtime: toDate(0) }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
