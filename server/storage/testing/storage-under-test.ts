import type { Storage } from '../storage.ts';

/** An empty store under test, used by one suite from beginning to end. */
export interface StorageUnderTest {
  readonly storage: Storage;
  /** Makes at least this much time pass for the store. A store with a clock of its own may return at once: tests then wait for what must happen. */
  elapse(seconds: number): Promise<void>;
  /** Ends the store and its data. */
  dispose(): Promise<void>;
}
