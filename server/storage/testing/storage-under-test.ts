import type { Storage } from '../storage.ts';

/** An empty store, used by one run of the suite. */
export interface StorageUnderTest {
  readonly storage: Storage;
  /** Lets at least this much time pass for the store. A store with its own clock may return at once: tests then wait for the effect. */
  elapse(seconds: number): Promise<void>;
  /** Ends the store and its data. */
  dispose(): Promise<void>;
}
