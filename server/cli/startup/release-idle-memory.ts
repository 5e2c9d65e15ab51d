import module from 'node:module';
import v8 from 'node:v8';
import vm from 'node:vm';
import type { Clock } from '../../../api/base/clock.ts';

const checkIntervalMs = 2000;
/** The share of one processor below which the process counts as idle. */
const idleLoad = 0.05;
/** The least growth since it was last cleared for another time to be worth the work. */
const worthwhileBytes = 8 * 1024 * 1024;
/** A full collection stops everything, for about a millisecond a megabyte in use: with a large heap it is left to V8's own judgement. */
const maxUsedHeapBytes = 128 * 1024 * 1024;

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

/**
 * Gives memory back to the system whenever the process has nothing to do: after the start, and after each burst of work.
 * V8 collects when its heap grows, so one that has just stopped growing would keep its garbage for as long as it is idle.
 * What was compiled at the start is saved at the first such moment, so that the next start finds it even if this process
 * is killed. Runs in the background until the process ends.
 */
export function releaseIdleMemory(clock: Clock): void {
  const collect = exposeCollector();
  let cpu = process.cpuUsage();
  let checkedMs = clock.monotonicMs();
  let clearedBytes = 0;
  const check = () => {
    const used = process.cpuUsage(cpu);
    const nowMs = clock.monotonicMs();
    const load = (used.user + used.system) / 1000 / (nowMs - checkedMs);
    const bytes = process.memoryUsage.rss();
    if (load < idleLoad && bytes - clearedBytes > worthwhileBytes) {
      if (clearedBytes === 0) module.flushCompileCache();
      if (v8.getHeapStatistics().used_heap_size < maxUsedHeapBytes) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      clearedBytes = process.memoryUsage.rss();
    }
    clearedBytes = Math.min(clearedBytes, bytes);
    cpu = process.cpuUsage();
    checkedMs = clock.monotonicMs();
    clock.setTimer(checkIntervalMs, check, { background: true });
  };
  clock.setTimer(checkIntervalMs, check, { background: true });
}

/** V8 hands its collector out to contexts made while the flag is set; the flag itself must not stay, compiled code is cached by flags. */
function exposeCollector(): Collect {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as Collect;
  v8.setFlagsFromString('--no-expose-gc');
  return collect;
}
