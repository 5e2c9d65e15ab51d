import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import type { PKIFiles } from '../pki/ensure-cluster-pki.ts';

/** Keys and certificates in a folder; a reader sees an old file or a new one, never a half. */
export function createPKIFiles(directory: string): PKIFiles {
  return {
    pathOf: (name) => path.join(directory, name),
    async read(name) {
      try {
        return await readFile(path.join(directory, name), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(name, text, { secret }) {
      const file = path.join(directory, name);
      const temporary = `${file}.${process.pid}.tmp`;
      const mode = secret ? 0o600 : 0o644;
      await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
      const handle = await open(temporary, 'w', mode);
      try {
        await handle.writeFile(text);
        await handle.chmod(mode);
        await handle.sync(); // a power loss must not leave an empty file in the place of a key
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
    },
  };
}
