import type { HistogramSeries, MetricFamilies, Series } from '../metric-families.ts';

const buckets = Array.from({ length: 10 }, (_, index) => 1e-8 * 10 ** index);
const labels = ['name'];

/** The result of one key that was taken out of a queue. */
interface WorkObservation {
  readonly controller: string;
  readonly outcome: 'success' | 'requeue' | 'error' | 'terminal';
  readonly durationMs: number;
  readonly waitedMs: number;
  readonly queueLength: number;
}

/** The queues of controllers, under the names that client-go gives their numbers. */
export function createWorkQueueMetrics(families: MetricFamilies): (observation: WorkObservation) => void {
  const depth = families.gauge({ name: 'workqueue_depth', help: 'Current depth of workqueue', stability: 'ALPHA', labels });
  const adds = families.counter({
    name: 'workqueue_adds_total',
    help: 'Total number of adds handled by workqueue',
    stability: 'ALPHA',
    labels,
  });
  const retries = families.counter({
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
    stability: 'ALPHA',
    labels,
  });
  const queued = families.histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested.',
    stability: 'ALPHA',
    labels,
    buckets,
  });
  const worked = families.histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes.',
    stability: 'ALPHA',
    labels,
    buckets,
  });
  const known = new Map<string, QueueSeries>();
  return ({ controller, outcome, durationMs, waitedMs, queueLength }) => {
    let series = known.get(controller);
    if (series === undefined) {
      series = {
        depth: depth.with(controller),
        adds: adds.with(controller),
        retries: retries.with(controller),
        queued: queued.with(controller),
        worked: worked.with(controller),
        handled: 0,
      };
      known.set(controller, series);
    }
    series.handled++;
    series.depth.value = queueLength;
    // Every added key has been handled, or is still there.
    series.adds.value = series.handled + queueLength;
    series.queued.observe(waitedMs / 1000);
    series.worked.observe(durationMs / 1000);
    if (outcome === 'error' || outcome === 'requeue') series.retries.add();
  };
}

interface QueueSeries {
  readonly depth: Series;
  readonly adds: Series;
  readonly retries: Series;
  readonly queued: HistogramSeries;
  readonly worked: HistogramSeries;
  handled: number;
}
