import type { PKIFiles } from '../pki-files.ts';

export interface MemoryPKIFiles extends PKIFiles {
  readonly content: Map<string, string>;
  /** Paths of files that only their owner may read. */
  readonly secret: Set<string>;
}

export function memoryPKIFiles(): MemoryPKIFiles {
  const content = new Map<string, string>();
  const secret = new Set<string>();
  const files: MemoryPKIFiles = {
    content,
    secret,
    read: async (path) => content.get(path),
    readAll: async () => new Map(content),
    pathOf: (path) => `/pki/${path}`,
    async commit(changes) {
      for (const { path, text, secret: isSecret } of changes) {
        if (text === undefined) content.delete(path);
        else content.set(path, text);
        if (isSecret) secret.add(path);
      }
    },
    exclusively: (work) => work(files),
  };
  return files;
}
