import { setTimeout as delay } from 'node:timers/promises';
import { memoryOf } from '../processes.ts';
import { allPods } from './large-store.ts';
import type { Scenario } from './scenario.ts';
import { settleSeconds } from './start.ts';

const lists = 10;

/** Must be the first that uses the large store: what a server remembers of other work would count too. */
export const memory: Scenario = {
  name: 'memory',
  does: `memory with --pods pods, and after ${lists} full lists of them`,
  store: 'large',
  async run({ session, settings, observe, record, remark }) {
    const { pid, endpoint } = session;
    if (pid === undefined) return remark('memory', ['the process of the server is not known: name it with pid=N']);
    await delay(settleSeconds * 1000);
    record({ subject: `memory, ${settings.pods} pods` }, memoryOf(pid));
    for (let list = 0; list < lists; list++)
      await observe({
        kind: 'requests',
        endpoint,
        protocol: settings.protocols[0] ?? 'h1',
        concurrency: 1,
        template: { method: 'GET', path: allPods },
        warmupSeconds: 0,
        seconds: 600,
        first: 0,
        count: 1,
        cycle: false,
      });
    await delay(settleSeconds * 1000);
    record({ subject: `memory, ${settings.pods} pods, after ${lists} lists` }, memoryOf(pid));
  },
};
