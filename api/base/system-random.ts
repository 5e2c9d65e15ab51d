import type { Random } from './random.ts';

/** The machine's random source. Only composition roots and tests may take it; everything else is given a Random. */
export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => crypto.randomUUID(),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};
