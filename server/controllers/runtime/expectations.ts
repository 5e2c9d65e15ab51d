import type { Clock } from '../../../api/base/clock.ts';

/** After this time an expectation is given up, so that a lost event cannot stop a controller for ever. */
const expiryMs = 5 * 60_000;

interface Expected {
  creations: number;
  readonly deletions: Set<string>;
  readonly sinceMs: number;
}

/**
 * The requests of a controller to the API whose results have not yet come back through its informers. While something is
 * outstanding the cache shows too few (or too many) dependents, and a controller that acted on it would create or delete twice.
 */
export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expectCreations(key: string, count: number): void {
    this.expect(key, count, []);
  }

  expectDeletions(key: string, dependents: readonly string[]): void {
    this.expect(key, 0, dependents);
  }

  /** `key` is the owner's; `dependents` holds the uid of each object that will be deleted. */
  expect(key: string, creations: number, dependents: readonly string[]): void {
    this.#expected.set(key, { creations, deletions: new Set(dependents), sinceMs: this.#clock.monotonicMs() });
  }

  /** One creation was seen, or will not be seen because it failed. */
  creationObserved(key: string): void {
    const expected = this.#expected.get(key);
    if (expected !== undefined) expected.creations--;
  }

  deletionObserved(key: string, dependent: string): void {
    this.#expected.get(key)?.deletions.delete(dependent);
  }

  /** Whether the cache can be trusted. */
  isSatisfied(key: string): boolean {
    const expected = this.#expected.get(key);
    if (expected === undefined) return true;
    if (expected.creations <= 0 && expected.deletions.size === 0) return true;
    return this.#clock.monotonicMs() - expected.sinceMs > expiryMs;
  }

  /** The owner is gone. */
  forget(key: string): void {
    this.#expected.delete(key);
  }
}
