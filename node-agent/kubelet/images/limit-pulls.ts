/** Limits how many pulls run at once; later ones wait for their turn. Infinity: no limit. */
export function limitPulls(maxParallel: number): <T>(pull: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (pull) => {
    if (running >= maxParallel) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await pull();
    } finally {
      // The first in the queue takes the place.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
