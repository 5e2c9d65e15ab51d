import type { Random } from './random.ts';

interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Default 2. */
  readonly factor?: number;
  /** Each delay grows by up to this part of itself, so that many waiters do not wake at once. Default 0. */
  readonly jitter?: number;
}

/** Growing delays between attempts. */
interface Backoff {
  /** How long to wait before the next attempt, in milliseconds. */
  nextMs(): number;
  /** After a success: begin at the start again. */
  reset(): void;
}

/** The delay before attempt number `attempt` (0 is the first repetition), without jitter. */
function backoffMs(options: BackoffOptions, attempt: number): number {
  return Math.min(options.maxMs, options.initialMs * (options.factor ?? 2) ** attempt);
}

export function createBackoff(options: BackoffOptions, random: Random): Backoff {
  let attempt = 0;
  return {
    nextMs: () => backoffMs(options, attempt++) * (1 + (options.jitter ?? 0) * random.next()),
    reset() {
      attempt = 0;
    },
  };
}
