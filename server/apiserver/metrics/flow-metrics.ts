import type { FlowControl, FlowMetrics, PriorityLevel, RequestObserver } from '../flowcontrol/flow-control.ts';
import type { FlowObserver, RejectReason } from '../flowcontrol/queue-set.ts';
import type { Family, HistogramSeries, MetricFamilies, Series, Stability } from '../metric-families.ts';

const prefix = 'apiserver_flowcontrol_';
const durationBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengthBuckets = [0, 10, 25, 50, 100, 250, 500, 1000];
const byFlow = ['priority_level', 'flow_schema'];

/** Metrics of the requests of API Priority and Fairness, under upstream's names. */
export function createFlowMetrics(families: MetricFamilies): FlowMetrics {
  const series: FlowFamilies = { ...requestFamilies(families), ...durationFamilies(families) };
  const observers = new Map<string, FlowSeries>();
  return {
    observer(level, flowSchema) {
      const key = `${level}/${flowSchema}`;
      const present = observers.get(key);
      if (present !== undefined) return present;
      const created = new FlowSeries(series, level, flowSchema);
      observers.set(key, created);
      return created;
    },
  };
}

const flow = (name: string, stability: Stability, help: string) => ({ name: `${prefix}${name}`, stability, help, labels: byFlow });

type DurationFamilies = Pick<FlowFamilies, 'queueLength' | 'wait' | 'execution' | 'estimatedSeats'>;

/** Counters and gauges. */
function requestFamilies(families: MetricFamilies): Omit<FlowFamilies, keyof DurationFamilies> {
  return {
    dispatched: families.counter(
      flow('dispatched_requests_total', 'BETA', 'Number of requests executed by API Priority and Fairness subsystem'),
    ),
    rejected: families.counter({
      ...flow('rejected_requests_total', 'BETA', 'Number of requests rejected by API Priority and Fairness subsystem'),
      labels: [...byFlow, 'reason'],
    }),
    inQueueRequests: families.gauge(
      flow('current_inqueue_requests', 'BETA', 'Number of requests currently pending in queues of the API Priority and Fairness subsystem'),
    ),
    inQueueSeats: families.gauge(
      flow('current_inqueue_seats', 'ALPHA', 'Number of seats currently pending in queues of the API Priority and Fairness subsystem'),
    ),
    executingRequests: families.gauge(
      flow(
        'current_executing_requests',
        'BETA',
        'Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem',
      ),
    ),
    executingSeats: families.gauge(
      flow(
        'current_executing_seats',
        'BETA',
        'Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem',
      ),
    ),
    notAccommodated: families.counter(
      flow(
        'request_dispatch_no_accommodation_total',
        'ALPHA',
        'Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats',
      ),
    ),
  };
}

/** Histograms. */
function durationFamilies(families: MetricFamilies): DurationFamilies {
  return {
    queueLength: families.histogram({
      ...flow(
        'request_queue_length_after_enqueue',
        'ALPHA',
        'Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued',
      ),
      buckets: lengthBuckets,
    }),
    wait: families.histogram({
      ...flow('request_wait_duration_seconds', 'BETA', 'Length of time a request spent waiting in its queue'),
      labels: [...byFlow, 'execute'],
      buckets: durationBuckets,
    }),
    execution: families.histogram({
      ...flow(
        'request_execution_seconds',
        'ALPHA',
        'Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem',
      ),
      labels: [...byFlow, 'type'],
      buckets: durationBuckets,
    }),
    estimatedSeats: families.histogram({
      ...flow(
        'work_estimated_seats',
        'ALPHA',
        'Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness',
      ),
      buckets: [1, 2, 4, 8, 16, 32, 64, 100],
    }),
  };
}

interface FlowFamilies {
  readonly dispatched: Family<Series>;
  readonly rejected: Family<Series>;
  readonly inQueueRequests: Family<Series>;
  readonly inQueueSeats: Family<Series>;
  readonly executingRequests: Family<Series>;
  readonly executingSeats: Family<Series>;
  readonly queueLength: Family<HistogramSeries>;
  readonly wait: Family<HistogramSeries>;
  readonly execution: Family<HistogramSeries>;
  readonly estimatedSeats: Family<HistogramSeries>;
  readonly notAccommodated: Family<Series>;
}

/** The metrics of one FlowSchema at one priority level. A series appears with its first event. */
class FlowSeries implements FlowObserver, RequestObserver {
  readonly #families: FlowFamilies;
  readonly #level: string;
  readonly #flowSchema: string;
  #dispatched: Series | undefined;
  #inQueueRequests: Series | undefined;
  #inQueueSeats: Series | undefined;
  #executingRequests: Series | undefined;
  #executingSeats: Series | undefined;
  #queueLength: HistogramSeries | undefined;
  #waited: HistogramSeries | undefined;
  #execution: HistogramSeries | undefined;
  #estimatedSeats: HistogramSeries | undefined;

  constructor(families: FlowFamilies, level: string, flowSchema: string) {
    this.#families = families;
    this.#level = level;
    this.#flowSchema = flowSchema;
  }

  estimated(seats: number): void {
    this.#estimatedSeats ??= this.#families.estimatedSeats.with(this.#level, this.#flowSchema);
    this.#estimatedSeats.observe(seats);
  }

  dispatched(waitedMs: number): void {
    this.#dispatched ??= this.#families.dispatched.with(this.#level, this.#flowSchema);
    this.#dispatched.add();
    // Exempt requests have no queue to wait in.
    if (this.#level === 'exempt') return;
    this.#waited ??= this.#families.wait.with(this.#level, this.#flowSchema, 'true');
    this.#waited.observe(waitedMs / 1000);
  }

  turnedAway(waitedMs: number): void {
    this.#families.wait.with(this.#level, this.#flowSchema, 'false').observe(waitedMs / 1000);
  }

  executed(durationMs: number, isWatch: boolean): void {
    if (isWatch) {
      this.#families.execution.with(this.#level, this.#flowSchema, 'watch').observe(durationMs / 1000);
      return;
    }
    this.#execution ??= this.#families.execution.with(this.#level, this.#flowSchema, 'regular');
    this.#execution.observe(durationMs / 1000);
  }

  waiting(requests: number, seats: number): void {
    this.#inQueueRequests ??= this.#families.inQueueRequests.with(this.#level, this.#flowSchema);
    this.#inQueueSeats ??= this.#families.inQueueSeats.with(this.#level, this.#flowSchema);
    this.#inQueueRequests.add(requests);
    this.#inQueueSeats.add(seats);
  }

  executing(requests: number, seats: number): void {
    this.#executingRequests ??= this.#families.executingRequests.with(this.#level, this.#flowSchema);
    this.#executingSeats ??= this.#families.executingSeats.with(this.#level, this.#flowSchema);
    this.#executingRequests.add(requests);
    this.#executingSeats.add(seats);
  }

  enqueued(queueLength: number): void {
    this.#queueLength ??= this.#families.queueLength.with(this.#level, this.#flowSchema);
    this.#queueLength.observe(queueLength);
  }

  rejected(reason: RejectReason): void {
    this.#families.rejected.with(this.#level, this.#flowSchema, reason).add();
  }

  notAccommodated(): void {
    this.#families.notAccommodated.with(this.#level, this.#flowSchema).add();
  }
}

type LevelMetric = readonly [name: string, stability: Stability, help: string, valueOf: (level: PriorityLevel) => number];

const levelMetrics: readonly LevelMetric[] = [
  ['nominal_limit_seats', 'BETA', 'Nominal number of execution seats configured for each priority level', ({ limits }) => limits.nominal],
  [
    'lower_limit_seats',
    'ALPHA',
    'Configured lower bound on number of execution seats available to each priority level',
    ({ limits }) => limits.min,
  ],
  [
    'upper_limit_seats',
    'ALPHA',
    'Configured upper bound on number of execution seats available to each priority level',
    ({ limits }) => limits.max,
  ],
  [
    'current_limit_seats',
    'ALPHA',
    'current derived number of execution seats available to each priority level',
    ({ currentLimit }) => currentLimit,
  ],
  [
    'demand_seats_high_watermark',
    'ALPHA',
    'High watermark, over last adjustment period, of demand_seats',
    ({ demand }) => demand.highWatermark,
  ],
  ['demand_seats_average', 'ALPHA', 'Time-weighted average, over last adjustment period, of demand_seats', ({ demand }) => demand.average],
  [
    'demand_seats_stdev',
    'ALPHA',
    'Time-weighted standard deviation, over last adjustment period, of demand_seats',
    ({ demand }) => demand.deviation,
  ],
  ['demand_seats_smoothed', 'ALPHA', 'Smoothed seat demands', ({ demand }) => demand.smoothed],
  ['target_seats', 'ALPHA', 'Seat allocation targets', ({ demand }) => demand.target],
  ['current_r', 'ALPHA', 'R(time of last change)', ({ queues }) => queues.dump().r / 1000],
];

/** Metrics of the priority levels, which are asked at each scrape. */
export function addLevelMetrics(families: MetricFamilies, flows: FlowControl): void {
  for (const [name, stability, help, valueOf] of levelMetrics) {
    families.gauge({ name: `${prefix}${name}`, stability, help, labels: ['priority_level'] }, (family) => {
      family.clear();
      for (const level of flows.levels()) family.with(level.name).value = valueOf(level);
    });
  }
  families.gauge(
    {
      name: `${prefix}seat_fair_frac`,
      stability: 'ALPHA',
      help: "Fair fraction of server's concurrency to allocate to each priority level that can use it",
    },
    (family) => {
      family.with().value = flows.fairFraction;
    },
  );
}
