import { type Entries, type EntryKey, observableValue } from './entry.ts';

/** A difference between the desired entries and those in the kernel. */
export interface EntryChange {
  readonly key: EntryKey;
  /** Absent: the entry is new. */
  readonly actual?: string;
  /** Absent: the entry is to go. */
  readonly desired?: string;
}

/**
 * Desired and actual entries of the table. Owners (Services, the node) claim entries; where two claim the same one (an
 * address given to a new Service before the old one is gone, an external IP that two Services name) the earlier claim
 * holds until it is withdrawn. The cost of a change depends on the change, never on the number of Services.
 */
export class RuleState {
  readonly #owned = new Map<string, Entries>();
  readonly #claims = new Map<EntryKey, Map<string, string>>();
  /** Observable values (see observableValue). */
  #actual: Entries = new Map();
  readonly #dirty = new Set<EntryKey>();

  /** Replaces all claims of an owner; no entries withdraws them. */
  claim(owner: string, entries: Entries): void {
    const old = this.#owned.get(owner);
    if (entries.size === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, entries);
    for (const key of old?.keys() ?? []) if (!entries.has(key)) this.#withdraw(key, owner);
    for (const [key, value] of entries) {
      if (old?.get(key) === value) continue;
      const claims = this.#claims.get(key);
      if (claims === undefined) this.#claims.set(key, new Map([[owner, value]]));
      else claims.set(owner, value);
      this.#dirty.add(key);
    }
  }

  owners(): IterableIterator<string> {
    return this.#owned.keys();
  }

  /** Takes over the entries that the kernel holds, after they were read back. */
  observe(actual: Entries): void {
    this.#actual = actual;
    this.#dirty.clear();
    for (const key of actual.keys()) this.#dirty.add(key);
    for (const key of this.#claims.keys()) this.#dirty.add(key);
  }

  /** The differences, in no order. They stay until they are confirmed. */
  changes(): EntryChange[] {
    const changes: EntryChange[] = [];
    for (const key of this.#dirty) {
      const desired = this.desired(key);
      const actual = this.#actual.get(key);
      if (desired === undefined && actual === undefined) this.#dirty.delete(key);
      else if (desired !== undefined && actual !== undefined && observableValue(key, desired) === actual) this.#dirty.delete(key);
      else changes.push({ key, ...(desired === undefined ? {} : { desired }), ...(actual === undefined ? {} : { actual }) });
    }
    return changes;
  }

  /** The changes are in the kernel. */
  done(changes: readonly EntryChange[]): void {
    for (const { key, desired } of changes) {
      if (desired === undefined) this.#actual.delete(key);
      else this.#actual.set(key, observableValue(key, desired));
      // A later claim may have come while the transaction ran; then the entry is still dirty, and changes() sees it.
    }
  }

  desired(key: EntryKey): string | undefined {
    return this.#claims.get(key)?.values().next().value;
  }

  #withdraw(key: EntryKey, owner: string): void {
    const claims = this.#claims.get(key);
    claims?.delete(owner);
    if (claims?.size === 0) this.#claims.delete(key);
    this.#dirty.add(key);
  }
}
