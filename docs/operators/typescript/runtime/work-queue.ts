/**
 * A queue of keys. A key is in it once, however often it was added, and only one worker has it at a time: a key that is added
 * while a worker has it comes again when that worker is done.
 */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** Adds the key after a delay that doubles with each call until `forget`. Returns how many times it was called. */
  addRateLimited(key: string): number;
  forget(key: string): void;
  /** The next key, as soon as there is one; undefined once the queue is closed. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  close(): void;
}

interface WorkQueueOptions {
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
}

export function createWorkQueue({ baseDelayMs = 100, maxDelayMs = 300_000 }: WorkQueueOptions = {}): WorkQueue {
  const ready = new Set<string>();
  const processing = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly dueMs: number }>();
  const waiting: ((key: string | undefined) => void)[] = [];
  let isClosed = false;

  const handOut = () => {
    for (const key of ready) {
      const worker = waiting.shift();
      if (!worker) return;
      ready.delete(key);
      processing.add(key);
      worker(key);
    }
  };
  const queue: WorkQueue = {
    add(key) {
      if (isClosed) return;
      if (processing.has(key)) again.add(key);
      else ready.add(key);
      handOut();
    },
    addAfter(key, delayMs) {
      if (isClosed) return;
      const dueMs = performance.now() + delayMs;
      const planned = timers.get(key);
      if (planned && planned.dueMs <= dueMs) return;
      clearTimeout(planned?.timer);
      const timer = setTimeout(() => {
        timers.delete(key);
        queue.add(key);
      }, delayMs);
      timers.set(key, { timer, dueMs });
    },
    addRateLimited(key) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      queue.addAfter(key, Math.min(baseDelayMs * 2 ** (count - 1), maxDelayMs));
      return count;
    },
    forget: (key) => void failures.delete(key),
    take() {
      if (isClosed) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        waiting.push(resolve);
        handOut();
      });
    },
    done(key) {
      processing.delete(key);
      if (again.delete(key)) queue.add(key);
    },
    close() {
      isClosed = true;
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
      ready.clear();
      for (const worker of waiting.splice(0)) worker(undefined);
    },
  };
  return queue;
}
