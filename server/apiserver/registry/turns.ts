/** The work done without a pause, in units of about a nanosecond: a few milliseconds, then other work gets a turn. */
const workPerTurn = 4_000_000;

/** Divides long work: counts the work done, and gives other work a turn of the event loop when it is enough. */
interface Turns {
  /** Whether a pause is due after this much more work. */
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

/** Rough costs of parsing, writing and examining objects, in the unit of `Turns`. */
export const costs = {
  /** The cost of parsing and writing one byte of an object. */
  byte: 30,
  /** The least cost of an object, however small it is. */
  object: 20_000,
  /** The cost of one requirement of a selector for one object. */
  requirement: 30,
} as const;
