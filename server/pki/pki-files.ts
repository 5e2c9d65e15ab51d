/** The text of a file; absent: the file is removed. */
export interface PKIChange {
  /** Relative, e.g. `ca.crt`. */
  readonly path: string;
  readonly text?: string;
  /** Readable by its owner only. */
  readonly secret: boolean;
}

/** Texts by path. */
export type PKIContents = ReadonlyMap<string, string>;

/** The store of keys and certificates. Paths are relative, e.g. `ca.crt`. */
export interface PKIFiles {
  read(path: string): Promise<string | undefined>;
  /** All keys, certificates and notes, read at one moment. */
  readAll(): Promise<PKIContents>;
  /** The path of a file as people and other programs know it. */
  pathOf(path: string): string;
  /**
   * Makes all changes or none of them, whatever ends the process in between: a reader of this interface sees the files as
   * they were before, or as they are after.
   */
  commit(changes: readonly PKIChange[]): Promise<void>;
  /** Runs `work` while no other process, and no other call in this one, changes the files. Rejects if that takes too long. */
  exclusively<T>(work: (files: PKIFiles) => Promise<T>): Promise<T>;
}

/** The files of a pair under `<name>.crt` and `<name>.key`. */
export function pairChanges(name: string, pair: { readonly certificatePEM: string; readonly keyPEM: string }): PKIChange[] {
  return [
    { path: `${name}.key`, text: pair.keyPEM, secret: true },
    { path: `${name}.crt`, text: pair.certificatePEM, secret: false },
  ];
}

/** Files whose changes are collected, and seen by who reads through them, but not made. */
export function stageChanges(files: PKIFiles): { readonly files: PKIFiles; readonly changes: PKIChange[] } {
  const changes: PKIChange[] = [];
  const staged: PKIFiles = {
    pathOf: (path) => files.pathOf(path),
    async read(path) {
      const change = changes.findLast((one) => one.path === path);
      return change === undefined ? await files.read(path) : change.text;
    },
    readAll: async () => applyChanges(await files.readAll(), changes),
    commit: async (more) => void changes.push(...more),
    exclusively: (work) => work(staged),
  };
  return { files: staged, changes };
}

/** The contents after the changes. */
export function applyChanges(contents: PKIContents, changes: readonly PKIChange[]): PKIContents {
  const result = new Map(contents);
  for (const { path, text } of changes) {
    if (text === undefined) result.delete(path);
    else result.set(path, text);
  }
  return result;
}
