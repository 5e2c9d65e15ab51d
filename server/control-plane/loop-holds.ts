import type { Clock } from '../../api/base/clock.ts';
import type { Logger } from '../../api/base/logger.ts';
import type { LoopHold } from '../../api/base/loop-watch.ts';
import type { MetricFamilies } from '../apiserver/metric-families.ts';

/** Holds from this length on are logged, at most one in ten seconds. */
const loggedMs = 100;
const logPauseMs = 10_000;

/** Reports holds of the event loop in the log and, once there is a server, in its metrics. */
interface LoopHolds {
  record(hold: LoopHold): void;
  countIn(families: Pick<MetricFamilies, 'histogram'>): void;
}

export function createLoopHolds(clock: Clock, logger: Logger): LoopHolds {
  let observe = (_hold: LoopHold): void => {};
  let lastLogMs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return {
    record(hold) {
      observe(hold);
      if (hold.ms < loggedMs) return;
      const nowMs = clock.monotonicMs();
      if (nowMs - lastLogMs < logPauseMs) {
        unlogged++;
        return;
      }
      const { ms, kind, work } = hold;
      logger.warn('the event loop was held', { ms: Math.round(ms), kind, work, ...(unlogged === 0 ? {} : { more: unlogged }) });
      lastLogMs = nowMs;
      unlogged = 0;
    },
    countIn(families) {
      const histogram = families.histogram({
        name: 'kubets_event_loop_hold_seconds',
        help: 'Times in seconds for which the event loop did nothing else, by the kind of work that took the longest part of them',
        stability: 'ALPHA',
        labels: ['kind'],
        buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
      });
      observe = ({ ms, kind }) => histogram.with(kind).observe(ms / 1000);
    },
  };
}
