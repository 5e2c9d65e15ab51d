/** A queue in which callers wait their turn: up to `size` of them go on at once, the others after `later` each time. */
export function inBatches(size: number, later: (next: () => void) => void): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let isRunning = false;
  const run = () => {
    for (const resolve of waiting.splice(0, size)) resolve();
    isRunning = waiting.length > 0;
    if (isRunning) later(run);
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (isRunning) return;
      isRunning = true;
      later(run);
    });
}
