import type { Clock } from '../../../api/base/clock.ts';

const shareMs = 1000;

/** A reading that those who ask within a second of each other share. */
export function shareReadings<T>(read: () => Promise<T>, clock: Clock): () => Promise<T> {
  let last: { readonly atMs: number; readonly reading: Promise<T> } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (last && nowMs - last.atMs < shareMs) return last.reading;
    const reading = read();
    last = { atMs: nowMs, reading };
    reading.catch(() => {
      last = undefined; // who asks next tries again
    });
    return reading;
  };
}
