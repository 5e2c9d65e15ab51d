import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../../api/base/system-clock.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { catalog } from '../../../api/resources/catalog.ts';
import { createLargeTasks } from '../../apiserver/registry/large-objects/large-tasks.ts';
import type { LargeTask } from '../../apiserver/registry/large-objects/large-work.ts';
import type { WorkerAnswer } from './large-work-pool.ts';

/** The entry point of a worker thread, which does one task at a time and answers each. */
const perform = createLargeTasks(catalog, () => systemClock.monotonicMs());

parentPort?.on('message', (task: LargeTask) => {
  let answer: WorkerAnswer;
  try {
    answer = { result: perform(task) };
  } catch (error) {
    answer = error instanceof StatusError ? { status: error.status } : { failure: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer);
});
parentPort?.postMessage({ isReady: true } satisfies WorkerAnswer);
