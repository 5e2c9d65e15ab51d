import type { APIResponse } from '../../../api/client/transport.ts';
import { systemMasters } from '../authentication/well-known.ts';
import type { Filter, RequestContext } from '../request-context.ts';
import { plainResponse } from './error-response.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';

export interface ConcurrencyLimits {
  /** Requests executing at once: get and list. */
  readonly readOnly: number;
  /** All other requests executing at once. */
  readonly mutating: number;
  /** How many more may wait for their turn, each kind. */
  readonly queueLength: number;
  /** How long one waits before it is turned away. */
  readonly queueWaitMs: number;
}

export const defaultConcurrencyLimits: ConcurrencyLimits = { readOnly: 400, mutating: 200, queueLength: 3200, queueWaitMs: 15_000 };

export interface InflightGauge {
  set(kind: 'readOnly' | 'mutating', executing: number): void;
}

/**
 * Bounds how much is executed at once. What comes on top waits in line and is turned away with 429 when the line is too
 * long or moves too slowly. Long-running requests and system:masters pass freely.
 */
export function concurrencyLimit(limits: ConcurrencyLimits, gauge: InflightGauge): Filter {
  const seats = {
    readOnly: createSeats(limits.readOnly, limits, (executing) => gauge.set('readOnly', executing)),
    mutating: createSeats(limits.mutating, limits, (executing) => gauge.set('mutating', executing)),
  };
  return (next) => async (context) => {
    if (isLongRunning(context.info) || context.user.groups.includes(systemMasters)) return next(context);
    const kind = context.info.verb === 'get' || context.info.verb === 'list' ? seats.readOnly : seats.mutating;
    if (!(await kind.take(context))) return tooManyRequests();
    try {
      return onBodyEnd(await next(context), kind.giveBack);
    } catch (error) {
      kind.giveBack();
      throw error;
    }
  };
}

interface Seats {
  take(context: RequestContext): Promise<boolean>;
  giveBack(): void;
}

function createSeats(capacity: number, { queueLength, queueWaitMs }: ConcurrencyLimits, changed: (executing: number) => void): Seats {
  let taken = 0;
  const waiting = new Set<() => void>();
  return {
    async take(context) {
      if (taken < capacity) {
        changed(++taken);
        return true;
      }
      if (waiting.size >= queueLength) return false;
      return new Promise((resolve) => {
        const leave = (isSeated: boolean) => {
          waiting.delete(seat);
          timer.cancel();
          context.signal.removeEventListener('abort', giveUp);
          resolve(isSeated);
        };
        const seat = () => leave(true);
        const giveUp = () => leave(false);
        const timer = context.clock.setTimer(queueWaitMs, giveUp, { background: true });
        context.signal.addEventListener('abort', giveUp, { once: true });
        waiting.add(seat);
      });
    },
    giveBack() {
      const [first] = waiting;
      if (first) first();
      else changed(--taken);
    },
  };
}

function tooManyRequests(): APIResponse {
  return plainResponse(429, 'Too many requests, please try again later.\n', { 'retry-after': '1' });
}
