import { type Clock, sleep } from '../base/clock.ts';
import { hasReason } from '../meta/status.ts';

const attempts = 5;
const pauseMs = 10;

/**
 * Runs a read-modify-write again when it met a Conflict: up to five times, 10 ms apart. `write` must read the object anew
 * each time. Any other failure, and the last Conflict, is thrown.
 */
export async function retryOnConflict<T>(clock: Clock, write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!hasReason(error, 'Conflict') || attempt >= attempts) throw error;
      await sleep(clock, pauseMs);
    }
  }
}
