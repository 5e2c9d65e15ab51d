import type { Clock } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';

/** Gives up a decryption that waits for its key too long: rejects with StorageError 'unavailable' while the decryption goes on. */
export type KeyPatience = <T>(decryption: Promise<T>) => Promise<T>;

/** A decryption whose key is in memory takes less. */
const shortPatienceMs = 10;

/**
 * The patience of a reader of many resources, most of which need no key. After one key that was not available it waits for
 * a moment only, until a decryption succeeds for which it had not waited long enough.
 */
export function createKeyPatience(clock: Clock, patienceMs: number): KeyPatience {
  let isShort = false;
  return async (decryption) => {
    const limit = Promise.withResolvers<never>();
    let isGivenUp = false;
    const giveUp = () => {
      isShort = true;
      isGivenUp = true;
      limit.reject(new StorageError('unavailable', 'the key of an encrypted value has not been answered yet'));
    };
    const timer = clock.setTimer(isShort ? shortPatienceMs : patienceMs, giveUp);
    const watched = decryption.then(
      (value) => {
        if (isGivenUp) isShort = false;
        return value;
      },
      (error: unknown) => {
        if (error instanceof StorageError && error.reason === 'unavailable') isShort = true;
        throw error;
      },
    );
    watched.catch(() => undefined); // it may have been given up
    limit.promise.catch(() => undefined);
    try {
      return await Promise.race([watched, limit.promise]);
    } finally {
      timer.cancel();
    }
  };
}
