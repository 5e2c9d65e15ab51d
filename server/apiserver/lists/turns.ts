/** Work done in one go, in units of about a nanosecond each: a few milliseconds, then others have their turn. */
const workPerTurn = 4_000_000;

/** Divides long work: counts what was done, and lets others have the event loop where it is enough. */
export interface Turns {
  /** Whether it is somebody else's turn after so much more work. */
  isOver(work: number): boolean;
  next(): Promise<void>;
}

export function createTurns(): Turns {
  let done = 0;
  return {
    isOver(work) {
      done += work;
      return done >= workPerTurn;
    },
    next() {
      done = 0;
      return new Promise((resolve) => {
        setImmediate(resolve);
      });
    },
  };
}

/** Rough costs of reading, writing and looking at things, for `Turns`. */
export const costs = {
  /** Of parsing and writing one byte of an object. */
  byte: 30,
  /** The least cost of an object, however small it is. */
  object: 20_000,
  /** Of one requirement of a selector on one object. */
  requirement: 30,
} as const;
