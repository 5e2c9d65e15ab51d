import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { internalError, requestTimeout, tooManyRequests } from '../../../api/meta/status-errors.ts';
import { type Status, StatusError } from '../../../api/meta/status.ts';
import type { Asker, LargeTask, LargeTaskResult, LargeWork } from '../../apiserver/registry/large-objects/large-work.ts';

export interface WorkerAnswer {
  /** The first message: the thread has started. */
  readonly isReady?: true;
  readonly result?: LargeTaskResult;
  readonly status?: Status;
  readonly failure?: string;
}

interface LargeWorkPoolOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Threads, which are started when they are needed. Where there are several, no user has all of them. */
  readonly threads: number;
  /** The most tasks that may wait, in total and of one user; further ones are refused with 429. Default 400 and 100. */
  readonly maxWaiting?: number;
  readonly maxWaitingOfUser?: number;
  /** After this a task is given up, with its thread. Default 30 s. */
  readonly maxTaskMs?: number;
}

export interface LargeWorkPool extends LargeWork {
  close(): Promise<void>;
}

/** The greatest heap of a thread; a task that needs more is given up. */
const maxHeapMiB = 1024;
/** The time in which a thread must have started. */
const maxStartMs = 300_000;

interface Job {
  readonly task: LargeTask;
  readonly asker: Asker;
  resolve(result: LargeTaskResult): void;
  reject(error: unknown): void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  deadline: Timer | undefined;
  isReady: boolean;
}

/** Worker threads that do tasks on large objects: one task of each user in turn, those of a user in order. */
export function createLargeWorkPool(options: LargeWorkPoolOptions): LargeWorkPool {
  const { clock, logger, threads, maxWaiting = 400, maxWaitingOfUser = 100, maxTaskMs = 30_000 } = options;
  const waiting = createTurns<Job>();
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
  /** Starts the time of a task when its thread has started: on a busy machine that may take longer than any task. */
  const limit = (thread: Thread) => {
    thread.deadline?.cancel();
    if (!thread.job) return;
    const { kind } = thread.job.task;
    thread.deadline = clock.setTimer(thread.isReady ? maxTaskMs : maxStartMs, () => {
      logger.warn('a large object took too long', { kind });
      giveUp(thread, requestTimeout());
    });
  };
  const start = (): Thread => {
    const thread = startThread({
      onReady: () => limit(thread),
      onAnswer(answer) {
        finish(thread, (job) => settle(job, answer));
        next();
      },
      onFailure(error) {
        logger.error('a thread for large objects failed', { error });
        giveUp(thread, internalError('the object takes too much to be worked on'));
      },
      onExit: () => giveUp(thread, internalError('a thread for large objects ended')),
    });
    running.add(thread);
    return thread;
  };
  const mayRun = (user: string) => {
    const ofUser = [...running].filter(({ job }) => job?.asker.user.name === user).length;
    return ofUser < Math.max(1, threads - 1);
  };
  const next = () => {
    while (!isClosed && waiting.size > 0) {
      const isIdle = ({ job }: Thread) => job === undefined;
      if (running.size >= threads && ![...running].some(isIdle)) return;
      const job = waiting.take(mayRun);
      if (!job) return;
      const idle = [...running].find(isIdle) ?? start();
      idle.job = job;
      limit(idle);
      idle.worker.postMessage(job.task);
    }
  };
  /** Removes a job that is no longer needed from the queue and from memory. */
  const leave = (job: Job) => {
    if (waiting.remove(job.asker.user.name, job)) job.reject(job.asker.signal.reason);
  };
  return {
    run: (task, asker) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(internalError('the API server is shutting down'));
        const { user, signal } = asker;
        if (signal.aborted) return reject(signal.reason);
        if (waiting.size >= maxWaiting || waiting.sizeOf(user.name) >= maxWaitingOfUser)
          return reject(tooManyRequests('too many large objects at once, please try again later', 1));
        const onGone = () => leave(job);
        const settled = () => signal.removeEventListener('abort', onGone);
        const job: Job = {
          ...{ task, asker },
          resolve: (result) => (settled(), resolve(result)),
          reject: (error) => (settled(), reject(error)),
        };
        waiting.add(user.name, job);
        signal.addEventListener('abort', onGone, { once: true });
        next();
      }),
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    async close() {
      isClosed = true;
      const error = internalError('the API server is shutting down');
      for (let job = waiting.take(); job; job = waiting.take()) job.reject(error);
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

function settle(job: Job, { result, status, failure }: WorkerAnswer): void {
  if (result) job.resolve(result);
  else job.reject(status ? new StatusError(status) : internalError(failure ?? ''));
}

/** Starts a worker thread and calls the listeners for its messages and its end. */
function startThread(listeners: {
  onReady(): void;
  onAnswer(answer: WorkerAnswer): void;
  onFailure(error: unknown): void;
  onExit(): void;
}): Thread {
  const worker = new Worker(new URL('./large-work-main.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
    name: 'large-objects',
  });
  const thread: Thread = { worker, job: undefined, deadline: undefined, isReady: false };
  worker.unref();
  worker.on('message', (answer: WorkerAnswer) => {
    if (!answer.isReady) return listeners.onAnswer(answer);
    thread.isReady = true;
    listeners.onReady();
  });
  worker.on('error', (error) => listeners.onFailure(error));
  worker.on('exit', () => listeners.onExit());
  return thread;
}

/** Waiting jobs by user; the user who was served last comes last. */
function createTurns<T>() {
  const queues = new Map<string, T[]>();
  let size = 0;
  return {
    get size() {
      return size;
    },
    sizeOf: (owner: string): number => queues.get(owner)?.length ?? 0,
    add(owner: string, item: T) {
      const queue = queues.get(owner);
      if (queue) queue.push(item);
      else queues.set(owner, [item]);
      size++;
    },
    take(isTurnOf: (owner: string) => boolean = () => true): T | undefined {
      for (const [owner, queue] of queues) {
        if (!isTurnOf(owner)) continue;
        const item = queue.shift();
        queues.delete(owner);
        if (queue.length > 0) queues.set(owner, queue);
        size--;
        return item;
      }
      return undefined;
    },
    remove(owner: string, item: T): boolean {
      const queue = queues.get(owner);
      const place = queue?.indexOf(item) ?? -1;
      if (!queue || place < 0) return false;
      queue.splice(place, 1);
      if (queue.length === 0) queues.delete(owner);
      size--;
      return true;
    },
  };
}
