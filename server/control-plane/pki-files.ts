import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PKIChange, PKIFiles } from '../pki/pki-files.ts';
import { type DirectoryLock, lockDirectory } from '../storage/embedded/directory-lock.ts';
import { StorageError } from '../storage/storage.ts';

interface PKIFilesOptions {
  /** Called before each step that changes the disk. Tests end the process there. */
  readonly onStep?: (step: string) => void;
  /** How long to wait for other processes that change the files. Default: 15 s. */
  readonly patienceMs?: number;
}

/** The list of changes that have been decided and are being made. It is there from the decision until all are made. */
const journalName = '.commit.json';
/** The suffix of files with new contents, until they replace the old ones. */
const newSuffix = '.new';
const isKept = (name: string): boolean => /\.(crt|key|pub|pem|json)$/.test(name) && !name.startsWith('.');

interface Journal {
  readonly written: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Keys and certificates in a folder. Several files change at once: their new texts are written beside the old ones, then a
 * journal that lists them (which decides), then each takes its place. Readers go by the journal; who changes files next
 * completes what a killed process has left. No step after the decision needs space on the disk.
 */
export function createPKIFiles(directory: string, options: PKIFilesOptions = {}): PKIFiles {
  const { onStep = () => {}, patienceMs = 15_000 } = options;
  const disk = createDisk(directory, onStep);
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work, work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const held: PKIFiles = {
    pathOf: (name) => path.join(directory, name),
    read: (name) => disk.read(name),
    readAll: () => readSteadily(disk),
    commit: (changes) => disk.commit(changes),
    exclusively: (work) => work(held),
  };
  const exclusively: PKIFiles['exclusively'] = (work) =>
    inTurn(async () => {
      await mkdir(directory, { recursive: true, mode: 0o755 });
      const lock = await lockWithin(directory, patienceMs);
      try {
        await disk.complete();
        return await work(held);
      } finally {
        lock.release();
      }
    });
  return { ...held, exclusively, commit: (changes) => exclusively((files) => files.commit(changes)) };
}

/** Reads until two readings are the same: a change between two files would be half of it. */
async function readSteadily(disk: Disk): Promise<ReadonlyMap<string, string>> {
  let last = await disk.readAll();
  for (;;) {
    const again = await disk.readAll();
    if (again.size === last.size && [...again].every(([name, text]) => last.get(name) === text)) return again;
    last = again;
  }
}

async function lockWithin(directory: string, patienceMs: number): Promise<DirectoryLock> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await lockDirectory(directory, process.pid);
    } catch (error) {
      const isTaken = error instanceof StorageError && error.reason === 'unavailable';
      if (!isTaken || performance.now() > deadlineMs) throw error;
      await delay(50);
    }
  }
}

type Disk = ReturnType<typeof createDisk>;

function createDisk(directory: string, onStep: (step: string) => void) {
  const fileOf = (name: string) => path.join(directory, name);
  const readJournal = async (): Promise<Journal | undefined> => {
    const text = await findText(fileOf(journalName));
    return text === undefined ? undefined : (JSON.parse(text) as Journal);
  };
  const read = async (name: string, journal: Journal | undefined): Promise<string | undefined> => {
    if (journal?.removed.includes(name)) return undefined;
    const decided = journal?.written.includes(name) ? await findText(fileOf(name + newSuffix)) : undefined;
    return decided ?? (await findText(fileOf(name)));
  };
  const complete = async (): Promise<void> => {
    const journal = await readJournal();
    if (journal === undefined) return;
    for (const name of journal.written) {
      onStep(`replace ${name}`);
      await rename(fileOf(name + newSuffix), fileOf(name)).catch(ignoreMissing);
    }
    for (const name of journal.removed) {
      onStep(`remove ${name}`);
      await rm(fileOf(name), { force: true });
    }
    await syncDirectory(directory);
    onStep('end the journal');
    await rm(fileOf(journalName), { force: true });
    await syncDirectory(directory);
  };
  const discard = (names: readonly string[]) => Promise.all(names.map((name) => rm(fileOf(name + newSuffix), { force: true })));
  return {
    complete,
    read: async (name: string) => read(name, await readJournal()),
    async readAll(): Promise<ReadonlyMap<string, string>> {
      const journal = await readJournal();
      const names = new Set([...(await namesIn(directory)).filter(isKept), ...(journal?.written ?? [])]);
      const texts = await Promise.all([...names].sort().map(async (name) => [name, await read(name, journal)] as const));
      return new Map(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])));
    },
    async commit(changes: readonly PKIChange[]): Promise<void> {
      if (changes.length === 0) return;
      const written = changes.flatMap(({ path: name, text, secret }) => (text === undefined ? [] : [{ name, text, secret }]));
      const names = written.map(({ name }) => name);
      const journal: Journal = { written: names, removed: changes.flatMap((one) => (one.text === undefined ? [one.path] : [])) };
      try {
        for (const { name, text, secret } of written) {
          onStep(`write ${name}`);
          await writeSynced(fileOf(name + newSuffix), text, secret ? 0o600 : 0o644);
        }
        onStep('write the journal');
        await writeSynced(fileOf(journalName + newSuffix), JSON.stringify(journal), 0o600);
        await syncDirectory(directory);
      } catch (error) {
        await discard([...names, journalName]);
        throw error;
      }
      onStep('decide');
      await rename(fileOf(journalName + newSuffix), fileOf(journalName));
      await syncDirectory(directory);
      await complete();
    },
  };
}

async function findText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    return ignoreMissing(error);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    ignoreMissing(error);
    return [];
  }
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

/** A power loss must not leave an empty file in the place of a key. */
async function writeSynced(file: string, text: string, mode: number): Promise<void> {
  const handle = await open(file, 'w', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
