import type { LoadGenerator } from './load-generator.ts';
import type { Task, TaskResult } from './load/task.ts';
import { cpuSecondsOf, machineBusySeconds } from './processes.ts';
import type { Session } from './session.ts';

/** The result of a task, and the processor time and memory of the processes meanwhile. */
export interface Observation extends TaskResult {
  readonly serverCPUSeconds: number | undefined;
  readonly storeCPUSeconds: number | undefined;
  /** Warnings for who reads the numbers. */
  readonly remarks: readonly string[];
}

/** Share of a processor from which on the generator is taken to hold the server up. */
const generatorLimit = 0.9;
/** Share of a processor that others may take. */
const othersLimit = 0.15;

interface Usage {
  readonly atSeconds: number;
  readonly server: number | undefined;
  readonly store: number | undefined;
  readonly machine: number;
}

export async function observe(session: Session, generator: LoadGenerator, task: Task): Promise<Observation> {
  let before: Usage | undefined;
  const result = await generator.run(task, () => (before = readUsage(session)));
  const after = readUsage(session);
  const start = before ?? after;
  const seconds = after.atSeconds - start.atSeconds;
  const serverCPUSeconds = difference(after.server, start.server);
  const storeCPUSeconds = difference(after.store, start.store);
  const others = after.machine - start.machine - (serverCPUSeconds ?? 0) - (storeCPUSeconds ?? 0) - result.cpuSeconds;
  const remarks = Object.entries(result.errors).map(([what, count]) => `${count}× ${what}`);
  const load = result.cpuSeconds / result.elapsedSeconds;
  if (load > generatorLimit) remarks.push(`the generator used ${(load * 100).toFixed(0)} % of a processor: it may be the limit`);
  // The processor time of a server elsewhere is unknown, and on this machine other processes do not belong to it.
  if (session.pid !== undefined && others / seconds > othersLimit)
    remarks.push(`other processes used ${((others / seconds) * 100).toFixed(0)} % of a processor`);
  return { ...result, serverCPUSeconds, storeCPUSeconds, remarks };
}

function readUsage({ pid, storePid }: Session): Usage {
  return {
    atSeconds: performance.now() / 1000,
    server: pid === undefined ? undefined : cpuSecondsOf(pid),
    store: storePid === undefined ? undefined : cpuSecondsOf(storePid),
    machine: machineBusySeconds(),
  };
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}
