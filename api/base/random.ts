/** The only source of randomness, so that a simulation can be repeated from its seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** RFC 9562 version 4. */
  uuid(): string;
  bytes(count: number): Uint8Array;
}

/** Uniform integer in [0, below). */
export function randomInt(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}
