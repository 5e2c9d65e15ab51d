import type { Operation } from '../storage.ts';
import { StorageError } from '../storage.ts';
import type { RecordStore, Version } from './version.ts';
import type { VersionIndex } from './version-index.ts';

interface Staged {
  readonly versions: readonly Version[];
  readonly revision: number;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: unknown) => void;
}

/** The largest group, in bytes. A larger one would delay the commits queued behind it without a gain. */
const maxGroupBytes = 1024 * 1024;
const maxGroup = 400;

/**
 * Orders commits and makes them durable in groups: while one group is being written, all that arrives forms the next.
 * Staged versions are in the index at once, so that conditions are checked against them, but above `revision`, which is
 * what readers are shown.
 */
export class CommitQueue {
  readonly #index: VersionIndex;
  readonly #records: RecordStore;
  readonly #onDurable: (versions: readonly Version[]) => void;
  #revision: number;
  #stagedRevision: number;
  #staged: Staged[] = [];
  #running: Promise<void> | undefined;
  #failure: StorageError | undefined;
  readonly #onFailure: (failure: StorageError) => void;

  constructor(dependencies: {
    index: VersionIndex;
    records: RecordStore;
    revision: number;
    onDurable: (versions: readonly Version[]) => void;
    onFailure: (failure: StorageError) => void;
  }) {
    this.#onFailure = dependencies.onFailure;
    this.#index = dependencies.index;
    this.#records = dependencies.records;
    this.#onDurable = dependencies.onDurable;
    this.#revision = dependencies.revision;
    this.#stagedRevision = dependencies.revision;
  }

  /** The newest durable revision. */
  get revision(): number {
    return this.#revision;
  }

  /** Why nothing can be written any more, until the store is opened anew. */
  get failure(): StorageError | undefined {
    return this.#failure;
  }

  /** Resolves with its revision once the operations are durable; rejects if they are not and never will be. */
  commit(operations: readonly Operation[], nowMs: number): Promise<number> {
    if (this.#failure) return Promise.reject(this.#failure);
    const versions = this.#stage(operations, nowMs);
    return new Promise((resolve, reject) => {
      this.#staged.push({ versions, revision: this.#stagedRevision, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when all that is staged now is durable or has been taken back. */
  async settled(): Promise<void> {
    const target = this.#stagedRevision;
    while (this.#running && this.#revision < target && this.#stagedRevision >= target) await this.#turn();
  }

  /** Resolves when nothing is queued. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => resolve();
      this.#staged.push({ versions: [], revision: this.#stagedRevision, resolve: done, reject: done });
    });
  }

  #stage(operations: readonly Operation[], nowMs: number): Version[] {
    const versions: Version[] = [];
    const revision = this.#stagedRevision + 1;
    for (const operation of operations) {
      const newest = this.#index.newest(operation.key);
      const exists = newest !== undefined && !newest.deleted;
      const deleted = operation.type === 'delete';
      if (deleted && !exists) continue;
      const ttlSeconds = operation.type === 'put' ? (operation.ttlSeconds ?? 0) : 0;
      const version: Version = {
        key: operation.key,
        revision,
        order: versions.length,
        createRevision: deleted ? 0 : exists ? newest.createRevision : revision,
        deleted,
        expiresAtMs: ttlSeconds > 0 ? nowMs + ttlSeconds * 1000 : 0,
        older: undefined,
        value: operation.type === 'put' ? operation.value : undefined,
      };
      this.#index.add(version);
      versions.push(version);
    }
    if (versions.length > 0) this.#stagedRevision = revision;
    return versions;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // what the present turn still commits belongs to the same group
    while (this.#staged.length > 0) {
      const group = this.#takeGroup();
      const versions = group.length === 1 ? (group[0]?.versions ?? []) : group.flatMap((staged) => staged.versions);
      try {
        if (versions.length > 0) await this.#records.append(versions);
      } catch (error) {
        this.#takeBack(group, error);
        continue;
      }
      this.#revision = group.at(-1)?.revision ?? this.#revision;
      if (versions.length > 0) this.#onDurable(versions);
      for (const staged of group) staged.resolve(staged.revision);
    }
    this.#running = undefined;
  }

  #takeGroup(): Staged[] {
    let bytes = 0;
    let count = 0;
    for (const staged of this.#staged) {
      for (const version of staged.versions) bytes += version.value?.length ?? 0;
      count++;
      if (bytes > maxGroupBytes || count >= maxGroup) break;
    }
    return this.#staged.splice(0, count);
  }

  #fail(failure: StorageError): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#onFailure(failure);
  }

  /** Takes back all that was staged after a failed group: it may depend on it. */
  #takeBack(group: readonly Staged[], error: unknown): void {
    const known = error instanceof StorageError ? error : new StorageError('unavailable', 'the write failed', { cause: error });
    const isCertain = known.reason === 'no-space';
    // Whether the group reached the disk is unknown until the store is opened again.
    const { reason, message } = known;
    const failure = isCertain ? known : new StorageError(reason, message, { cause: known.cause, isOutcomeUnknown: true });
    if (!isCertain) this.#fail(new StorageError(reason, message, { cause: known.cause }));
    const all = [...group, ...this.#staged.splice(0)];
    this.#index.undoAfter(this.#revision);
    this.#stagedRevision = this.#revision;
    for (const staged of all) staged.reject(failure);
  }
}
