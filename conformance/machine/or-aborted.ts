/** Work that takes minutes, which is waited for no longer once `signal` aborts: then it is rejected with the reason. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([work, untilAborted(signal).then((reason) => Promise.reject(reason))]);
}

/** Resolves with the reason when `signal` aborts. */
export function untilAborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
