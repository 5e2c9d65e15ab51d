import type { Clock } from '../../../api/base/clock.ts';
import { StorageError } from '../storage.ts';

/** Gives up waiting for a decryption whose key takes too long: rejects with StorageError 'unavailable' while the decryption goes on. */
export type KeyPatience = <T>(decryption: Promise<T>) => Promise<T>;

/** A decryption whose key is in memory takes less. */
const shortPatienceMs = 10;

/**
 * The patience of a reader of many resources, most of which need no key. After one key was not available it waits only for a moment, until
 * a decryption for which it did not wait long enough has succeeded.
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
