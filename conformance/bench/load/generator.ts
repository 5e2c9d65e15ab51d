import { runInformers } from './run-informers.ts';
import { runRequests } from './run-requests.ts';
import { runWatch } from './run-watch.ts';
import type { GeneratorMessage, Task, TaskResult } from './task.ts';

/**
 * The process that loads a server: takes one task after the other from the process that forked it, and ends with it.
 * It is a process of its own so that what it spends can be told from the rest.
 */
function say(message: GeneratorMessage): void {
  process.send?.(message);
}

async function run(task: Task): Promise<TaskResult> {
  const onBegin = () => say({ type: 'begin' });
  switch (task.kind) {
    case 'requests':
      return await runRequests(task, onBegin);
    case 'watch':
      return await runWatch(task, onBegin);
    case 'informers':
      return await runInformers(task, onBegin);
  }
}

process.on('message', (task: Task) => {
  run(task).then(
    (result) => say({ type: 'end', result }),
    (error: unknown) => say({ type: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
