import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import { internalError, requestTimeout, tooManyRequests } from '../../api/meta/status-errors.ts';
import { type Status, StatusError } from '../../api/meta/status.ts';
import type { LargeTask, LargeTaskResult, LargeWork } from '../apiserver/large-objects/large-work.ts';

export interface WorkerAnswer {
  readonly result?: LargeTaskResult;
  readonly status?: Status;
  readonly failure?: string;
}

export interface LargeWorkPoolOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Threads, which are started when they are needed. */
  readonly threads: number;
  /** Tasks that may wait; more are refused with 429. Default 100. */
  readonly maxWaiting?: number;
  /** After this a task is given up, with its thread. Default 30 s. */
  readonly maxTaskMs?: number;
}

export interface LargeWorkPool extends LargeWork {
  close(): Promise<void>;
}

/** Of a thread; a task that needs more is given up. */
const maxHeapMiB = 1024;

interface Job {
  readonly task: LargeTask;
  readonly signal: AbortSignal;
  resolve(result: LargeTaskResult): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  deadline: Timer | undefined;
}

/** Worker threads that do tasks on large objects in the order in which they come. */
export function createLargeWorkPool({ clock, logger, threads, maxWaiting = 100, maxTaskMs = 30_000 }: LargeWorkPoolOptions): LargeWorkPool {
  const waiting: Job[] = [];
  const running = new Set<Thread>();
  let isClosed = false;

  const finish = (thread: Thread, settleJob: (job: Job) => void) => {
    const { job } = thread;
    thread.deadline?.cancel();
    thread.job = undefined;
    if (job) settleJob(job);
  };
  const giveUp = (thread: Thread, error: unknown) => {
    if (!running.delete(thread)) return;
    finish(thread, (job) => job.reject(error));
    thread.worker.terminate().catch(() => {});
    next();
  };
  const start = (): Thread => {
    const worker = new Worker(new URL('./large-work-main.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
      name: 'large-objects',
    });
    const thread: Thread = { worker, job: undefined, deadline: undefined };
    worker.unref();
    worker.on('message', ({ result, status, failure }: WorkerAnswer) => {
      finish(thread, (job) => {
        if (result) job.resolve(result);
        else job.reject(status ? new StatusError(status) : internalError(failure ?? ''));
      });
      next();
    });
    worker.on('error', (error) => {
      logger.error('a thread for large objects failed', { error });
      giveUp(thread, internalError('the object takes too much to be worked on'));
    });
    worker.on('exit', () => giveUp(thread, internalError('a thread for large objects ended')));
    running.add(thread);
    return thread;
  };
  const next = () => {
    while (!isClosed && waiting[0]) {
      const idle = [...running].find(({ job }) => job === undefined) ?? (running.size < threads ? start() : undefined);
      if (!idle) return;
      const job = waiting.shift();
      if (!job) return;
      idle.job = job;
      idle.deadline = clock.setTimer(maxTaskMs, () => {
        logger.warn('a large object took too long', { kind: job.task.kind });
        giveUp(idle, requestTimeout());
      });
      idle.worker.postMessage(job.task);
    }
  };
  /** One that waits for nobody any more keeps no place of others, and no memory. */
  const leave = (job: Job) => {
    const place = waiting.indexOf(job);
    if (place < 0) return;
    waiting.splice(place, 1);
    job.reject(job.signal.reason);
  };
  return {
    run: (task, signal) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(internalError('the API server is shutting down'));
        if (signal.aborted) return reject(signal.reason);
        if (waiting.length >= maxWaiting) return reject(tooManyRequests('too many large objects at once, please try again later', 1));
        const onGone = () => leave(job);
        const settled = () => signal.removeEventListener('abort', onGone);
        const job: Job = {
          ...{ task, signal },
          resolve: (result) => (settled(), resolve(result)),
          reject: (error) => (settled(), reject(error)),
        };
        waiting.push(job);
        signal.addEventListener('abort', onGone, { once: true });
        next();
      }),
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    async close() {
      isClosed = true;
      const error = internalError('the API server is shutting down');
      for (const job of waiting.splice(0)) job.reject(error);
      await Promise.all(
        [...running].map((thread) => {
          running.delete(thread);
          finish(thread, (job) => job.reject(error));
          return thread.worker.terminate();
        }),
      );
    },
  };
}
