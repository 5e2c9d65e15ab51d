import type { Storage } from '../../storage/storage.ts';
import { prefixEnd } from '../../storage/storage.ts';

/** A state of one key; without a value, the key did not exist. */
export interface State<T> {
  readonly revision: number;
  readonly value: T | undefined;
}

/** All states that the keys below a prefix have had, read from the store itself. */
export interface WriteHistory<T> {
  /** Resolves when everything up to that revision has been read. */
  reach(revision: number): Promise<void>;
  keys(): IterableIterator<string>;
  /** In order. */
  statesOf(key: string): readonly State<T>[];
  /** Whether the key had such a state within those revisions, including the state before the first of them. */
  hasBeen(key: string, from: number, to: number, matches: (state: State<T>) => boolean): boolean;
  /** The state of a key at that revision. */
  at(key: string, revision: number): State<T>;
  stop(): Promise<void>;
}

export function recordHistory<T>(storage: Storage, prefix: string, afterRevision: number): WriteHistory<T> {
  const states = new Map<string, State<T>[]>();
  const stop = new AbortController();
  let reached = afterRevision;
  let wake = Promise.withResolvers<void>();
  const follow = async () => {
    const options = { start: prefix, end: prefixEnd(prefix), afterRevision, wantsPrevious: false, signal: stop.signal };
    for await (const batch of storage.watch(options)) {
      for (const { key, revision, entry } of batch.events) {
        const value = entry ? (JSON.parse(new TextDecoder().decode(entry.value)) as T) : undefined;
        const known = states.get(key);
        if (known) known.push({ revision, value });
        else states.set(key, [{ revision, value }]);
      }
      reached = batch.revision;
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  const following = follow();
  const statesOf = (key: string) => states.get(key) ?? [];
  const at = (key: string, revision: number): State<T> =>
    statesOf(key).findLast((state) => state.revision <= revision) ?? { revision: 0, value: undefined };
  return {
    async reach(revision) {
      while (reached < revision) await wake.promise;
    },
    keys: () => states.keys(),
    statesOf,
    hasBeen: (key, from, to, matches) =>
      matches(at(key, from)) || statesOf(key).some((state) => state.revision > from && state.revision <= to && matches(state)),
    at,
    async stop() {
      stop.abort();
      await following;
    },
  };
}
