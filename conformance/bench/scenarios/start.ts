import { setTimeout as delay } from 'node:timers/promises';
import { memoryOf } from '../processes.ts';
import type { Scenario } from './scenario.ts';

/** Until a process that has nothing to do has settled: caches are filled, garbage is given back. */
export const settleSeconds = 10;

/** How long a start takes and what an idle server weighs. Keys and certificates are there already. */
export const start: Scenario = {
  name: 'start',
  does: 'time until ready: empty store, and again on what is then there; memory of an idle server',
  store: 'empty',
  async run({ session, record }) {
    const { started } = session;
    if (started) {
      record({ subject: 'start on an empty store' }, { readyMs: started.readyMs });
      await delay(settleSeconds * 1000);
      await started.restart();
      record({ subject: 'start again' }, { readyMs: started.readyMs });
    }
    await delay(settleSeconds * 1000);
    const pid = started?.pid ?? session.pid;
    if (pid !== undefined) record({ subject: 'memory, idle' }, memoryOf(pid));
  },
};
