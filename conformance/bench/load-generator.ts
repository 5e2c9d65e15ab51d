import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { GeneratorMessage, Task, TaskResult } from './load/task.ts';

/** The process that makes the load; see load/generator.ts. */
export interface LoadGenerator {
  /** `onBegin` is called when the warm-up is over. One task at a time. */
  run(task: Task, onBegin?: () => void): Promise<TaskResult>;
  close(): void;
}

export function startLoadGenerator(): LoadGenerator {
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'load/generator.ts'), {
    execArgv: ['--max-semi-space-size=32'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return {
    run: (task, onBegin = () => {}) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          child.off('message', onMessage);
          child.off('exit', onExit);
          finish();
        };
        const onMessage = (message: GeneratorMessage) => {
          if (message.type === 'begin') onBegin();
          else if (message.type === 'end') settle(() => resolve(message.result));
          else settle(() => reject(new Error(message.message)));
        };
        const onExit = (code: number | null) => settle(() => reject(new Error(`the load generator ended (${code})`)));
        child.on('message', onMessage);
        child.on('exit', onExit);
        child.send(task);
      }),
    close: () => child.disconnect(),
  };
}
