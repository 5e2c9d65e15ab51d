import type { Clock, Timer } from '../../../api/base/clock.ts';

/** A pass over fewer watches is not worth waiting after. */
const fewWatches = 50;
/** No event is held back longer. */
const maxPauseMs = 50;

/**
 * Decides when watches are told of changes. A pass over a thousand watches takes tens of milliseconds, whether it brings
 * one event to each or fifty. After one, the next waits for half as long as it took: the thread does other work, and what
 * comes meanwhile goes out together. A change that comes alone is never held back.
 */
export class FanOutPace {
  readonly #clock: Clock;
  /** Tells watches of all changes so far; returns how many had to be told. */
  readonly #pass: () => number;
  #timer: Timer | undefined;
  #notBeforeMs = 0;

  constructor(clock: Clock, pass: () => number) {
    this.#clock = clock;
    this.#pass = pass;
  }

  /** There is something new. */
  request(): void {
    if (this.#timer) return;
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
  }

  #run(): void {
    const startMs = this.#clock.monotonicMs();
    if (this.#pass() < fewWatches) return;
    // The readers run after this, and write to their sockets: they are done in the next turn of the event loop.
    setImmediate(() => {
      const endMs = this.#clock.monotonicMs();
      this.#notBeforeMs = endMs + Math.min((endMs - startMs) / 2, maxPauseMs);
    });
  }
}
