/** The state of a key from one revision on: its value, or deleted. The versions of a key form a list, newest first. */
export interface Version {
  readonly key: string;
  readonly revision: number;
  /** The position among the changes of one revision. */
  readonly order: number;
  /** Revision that created the key; 0 for a deletion. */
  readonly createRevision: number;
  readonly deleted: boolean;
  /** Wall clock time at which the key vanishes by itself; 0: never. */
  readonly expiresAtMs: number;
  /** The version before this one; undefined if there was none or it has been compacted. */
  older: Version | undefined;
  /** Held here by stores that keep values in memory, and by others for as long as the value is likely to be asked for. */
  value: Uint8Array | undefined;
}

/** The storage of the values of versions. Appends never overlap; the other operations may. */
export interface RecordStore {
  /** Makes the versions durable, all or none. A rejection with StorageError 'no-space' promises that nothing was written. */
  append(versions: readonly Version[]): Promise<void>;
  /** The value of a version that is not deleted. */
  read(version: Version): Uint8Array;
  /** Records the compaction and drops the versions. If a crash interrupts it, recovery drops the rest. */
  compact(revision: number, dropped: readonly Version[]): Promise<void>;
  /** Writes something durably. */
  probe(): Promise<void>;
  close(): Promise<void>;
}
