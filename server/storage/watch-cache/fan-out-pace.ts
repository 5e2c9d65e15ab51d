import type { Clock, Timer } from '../../../api/base/clock.ts';

/** A pass over fewer watches is not worth waiting after. */
const fewWatches = 50;
/** No event is held back longer. */
const maxPauseMs = 50;

/**
 * Decides when watches are told of changes. A pass over a thousand watches takes tens of milliseconds, whether it brings
 * one event to each or fifty. Where changes come faster than passes end, the next one waits for half as long as the last
 * took: the thread does other work, and what comes meanwhile goes out together. A change that comes after a pass is over
 * is not held back, however long that pass took.
 */
export class FanOutPace {
  readonly #clock: Clock;
  /** Begins to pass all changes so far to watches; yields where other work may take its turn, and returns how many watches it served. */
  readonly #begin: () => Iterator<void, number>;
  #pass: Iterator<void, number> | undefined;
  /** Whether a change came while a pass was under way. */
  #isRequested = false;
  #timer: Timer | undefined;
  #notBeforeMs = 0;

  constructor(clock: Clock, begin: () => Iterator<void, number>) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /** There is something new. */
  request(): void {
    if (this.#pass) this.#isRequested = true;
    if (this.#timer || this.#pass) return;
    const waitMs = this.#notBeforeMs - this.#clock.monotonicMs();
    if (waitMs <= 0) return this.#run();
    const due = () => {
      this.#timer = undefined;
      this.#run();
    };
    this.#timer = this.#clock.setTimer(waitMs, due, { background: true });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pass = undefined;
    this.#isRequested = false;
  }

  #run(): void {
    const pass = this.#begin();
    this.#pass = pass;
    this.#continue(pass, this.#clock.monotonicMs());
  }

  #continue(pass: Iterator<void, number>, startMs: number): void {
    if (this.#pass !== pass) return;
    const { done, value: told } = pass.next();
    // The readers run after this, and write to their sockets: they are done in the next turn of the event loop.
    if (!done) return void setImmediate(() => this.#continue(pass, startMs));
    if (told < fewWatches) return this.#finish();
    setImmediate(() => {
      if (this.#pass !== pass) return;
      const endMs = this.#clock.monotonicMs();
      if (this.#isRequested) this.#notBeforeMs = endMs + Math.min((endMs - startMs) / 2, maxPauseMs);
      this.#finish();
    });
  }

  #finish(): void {
    this.#pass = undefined;
    if (!this.#isRequested) return;
    this.#isRequested = false;
    this.request();
  }
}
