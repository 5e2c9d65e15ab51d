interface SlowStartResult {
  /** How many calls succeeded. */
  readonly succeeded: number;
  /** The first error of the first batch in which calls failed. */
  readonly error?: unknown;
}

/**
 * Makes `count` calls in batches of 1, 2, 4, ... and stops after the first batch with a failure: a call that always fails (because of a
 * quota or a broken template) then costs a few failed calls instead of hundreds.
 */
export async function slowStart(count: number, call: (index: number) => Promise<void>, firstBatch = 1): Promise<SlowStartResult> {
  let succeeded = 0;
  let next = 0;
  for (let size = Math.min(firstBatch, count); size > 0; size = Math.min(size * 2, count - next)) {
    const start = next;
    next += size;
    const results = await Promise.allSettled(Array.from({ length: size }, (_, index) => call(start + index)));
    const failed = results.filter((result) => result.status === 'rejected');
    succeeded += size - failed.length;
    const [first] = failed;
    if (first !== undefined) return { succeeded, error: first.reason };
  }
  return { succeeded };
}
