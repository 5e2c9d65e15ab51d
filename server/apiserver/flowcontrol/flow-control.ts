import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { UserInfo } from '../../../api/meta/user-info.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../../api/types/flowcontrol-v1.ts';
import type { RequestContext, RequestInfo } from '../request/request-context.ts';
import { type Classifier, createClassifier } from './classify.ts';
import { compareFlowSchemas } from './match-flow.ts';
import { type LevelLimits, handSizeOf, planBorrowing, planLimits, queuingOf } from './plan-limits.ts';
import { type FlowObserver, type QueuedFlow, QueueSet, type RejectReason, type SeatHolder } from './queue-set.ts';
import { RetryAfter } from './retry-after.ts';
import { smoothDemand } from './seat-demand.ts';
import { dealHand, hashFlow } from './shuffle-shard.ts';
import { estimateWork, type WorkEstimate, type WorkStatistics } from './work-estimate.ts';

/** How often seats are lent anew. */
export const borrowingPeriodMs = 10_000;

/** The metrics of flows. */
export interface FlowMetrics {
  observer(level: string, flowSchema: string): FlowObserver & RequestObserver;
}

/** An observer of single requests, besides the queues' own. */
export interface RequestObserver {
  estimated(seats: number): void;
  dispatched(waitedMs: number): void;
  turnedAway(waitedMs: number): void;
  executed(durationMs: number, isWatch: boolean): void;
}

/** A priority level at work. */
export interface PriorityLevel {
  readonly name: string;
  readonly queues: QueueSet;
  readonly retryAfter: RetryAfter;
  configuration: DeepReadonly<PriorityLevelConfiguration>;
  /** No object asks for it any more; it stays until its last request has gone. */
  isQuiescing: boolean;
  limits: LevelLimits;
  currentLimit: number;
  readonly demand: { average: number; deviation: number; highWatermark: number; smoothed: number; target: number };
}

/** Requests that are queued together. */
export interface Flow extends QueuedFlow {
  readonly observer: FlowObserver & RequestObserver;
  readonly level: PriorityLevel;
  readonly flowSchema: string;
  readonly distinguisher: string;
  /** The headers of the answer that tell how its request was classified: by uids, since names may be confidential. */
  readonly headers: Readonly<Record<string, string>>;
}

interface FlowControlOptions {
  readonly clock: Clock;
  /** Seats of the whole server. */
  readonly serverSeats: number;
  readonly statistics: WorkStatistics;
  readonly metrics: FlowMetrics;
  /** The objects that are in force even if they are not in the store: exempt and catch-all. */
  readonly mandatory: {
    readonly levels: readonly PriorityLevelConfiguration[];
    readonly flowSchemas: readonly FlowSchema[];
  };
}

/** Flows that are remembered by level and distinguisher. */
const maxFlowsPerSchema = 4096;

/** API Priority and Fairness in its present configuration. */
export class FlowControl {
  readonly #options: FlowControlOptions;
  #levels = new Map<string, PriorityLevel>();
  #classifier: Classifier<Flow>;
  #fairFraction = 0;

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#classifier = this.#configure([], []);
  }

  get fairFraction(): number {
    return this.#fairFraction;
  }

  levels(): Iterable<PriorityLevel> {
    return this.#levels.values();
  }

  /** Applies a configuration; running requests keep their seats. */
  configure(levels: readonly DeepReadonly<PriorityLevelConfiguration>[], flowSchemas: readonly DeepReadonly<FlowSchema>[]): void {
    this.#classifier = this.#configure(levels, flowSchemas);
  }

  classify(user: UserInfo, info: RequestInfo): Flow {
    return this.#classifier.classify(user, info);
  }

  estimate(flow: Flow, context: RequestContext): WorkEstimate {
    const work = estimateWork(context, flow.level.limits.maxSeats, this.#options.statistics);
    flow.observer.estimated(Math.max(work.initialSeats, work.finalSeats));
    return work;
  }

  start(flow: Flow, work: WorkEstimate, context: RequestContext): SeatHolder | RejectReason {
    return flow.level.queues.start(flow, work, context);
  }

  finish(flow: Flow, holder: SeatHolder): void {
    flow.level.queues.finish(holder);
    this.#reap(flow.level);
  }

  cancel(flow: Flow, holder: SeatHolder, isTimeout: boolean): void {
    flow.level.queues.cancel(holder, isTimeout);
    this.#reap(flow.level);
  }

  /** Lends seats by the demand of the last period. To be called every `borrowingPeriodMs`. */
  adjust(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const { queues, demand } of this.#levels.values()) {
      const report = queues.demand.reset(nowMs);
      demand.highWatermark = Math.round(report.highWatermark);
      if (report.durationMs <= 0) continue;
      demand.average = report.average;
      demand.deviation = report.deviation;
      demand.smoothed = smoothDemand(demand.smoothed, report);
    }
    this.#lend();
  }

  #configure(
    levels: readonly DeepReadonly<PriorityLevelConfiguration>[],
    flowSchemas: readonly DeepReadonly<FlowSchema>[],
  ): Classifier<Flow> {
    const { mandatory } = this.#options;
    const usable = withMandatory(
      levels.filter((level) => queuingOf(level) !== undefined),
      mandatory.levels,
    );
    const wanted = new Set(usable.map(nameOf));
    const kept = [...this.#levels.values()].filter(({ name, queues }) => !wanted.has(name) && !queues.isIdle);
    const next = new Map(usable.map((level) => [nameOf(level), this.#levelFor(level)]));
    for (const level of kept) {
      level.isQuiescing = true;
      next.set(level.name, level);
    }
    this.#levels = next;
    const limits = planLimits(
      [...next.values()].map(({ configuration }) => configuration),
      this.#options.serverSeats,
    );
    for (const level of next.values()) {
      const own = limits.get(level.name);
      if (own === undefined) continue;
      const isNew = level.limits === unlimited;
      level.limits = own;
      if (isNew) level.currentLimit = own.nominal - Math.trunc((own.nominal - own.min) / 2);
    }
    this.#lend();
    const leading = flowSchemas.filter(({ spec }) => wanted.has(spec?.priorityLevelConfiguration.name ?? ''));
    const [exempt, ...others] = mandatory.flowSchemas;
    const missing = (schema: FlowSchema | undefined) =>
      schema === undefined || leading.some((present) => nameOf(present) === nameOf(schema)) ? [] : [schema];
    const inOrder = [...missing(exempt), ...leading.toSorted(compareFlowSchemas), ...others.flatMap(missing)];
    // The catch-all schema comes last whatever its precedence, since it must take the requests that no other FlowSchema matches.
    const isLast = (schema: DeepReadonly<FlowSchema>) => nameOf(schema) === 'catch-all';
    const fallback = inOrder.filter(isLast);
    return createClassifier([...inOrder, ...fallback].map((schema) => this.#entryFor(schema)));
  }

  #levelFor(configuration: DeepReadonly<PriorityLevelConfiguration>): PriorityLevel {
    const name = nameOf(configuration);
    const present = this.#levels.get(name);
    if (present !== undefined) {
      present.configuration = configuration;
      present.isQuiescing = false;
      return present;
    }
    return {
      name,
      configuration,
      queues: new QueueSet(this.#options.clock),
      retryAfter: new RetryAfter(),
      isQuiescing: false,
      limits: unlimited,
      currentLimit: 0,
      demand: { average: 0, deviation: 0, highWatermark: 0, smoothed: 0, target: 0 },
    };
  }

  #entryFor(schema: DeepReadonly<FlowSchema>) {
    const level = this.#levels.get(schema.spec?.priorityLevelConfiguration.name ?? '');
    if (level === undefined) throw new Error(`FlowSchema ${nameOf(schema)} leads to a level that is not there`);
    const flows = new Map<string, Flow>();
    const queuing = queuingOf(level.configuration);
    const queues = queuing?.kind === 'queue' ? queuing.queues : 0;
    const handSize = handSizeOf(level.configuration);
    const flowSchema = nameOf(schema);
    const observer = this.#options.metrics.observer(level.name, flowSchema);
    const headers = {
      'x-kubernetes-pf-flowschema-uid': schema.metadata.uid ?? '',
      'x-kubernetes-pf-prioritylevel-uid': level.configuration.metadata.uid ?? '',
    };
    return {
      schema,
      flowOf(wanted: string): Flow {
        // With one queue or none, requests need no distinguisher.
        const distinguisher = queues > 1 ? wanted : '';
        const known = flows.get(distinguisher);
        if (known !== undefined) return known;
        const hand = queues === 0 ? [] : dealHand(hashFlow(flowSchema, distinguisher), queues, handSize);
        const flow: Flow = { observer, level, flowSchema, distinguisher, headers, hand };
        if (flows.size >= maxFlowsPerSchema) flows.clear();
        flows.set(distinguisher, flow);
        return flow;
      },
    };
  }

  #lend(): void {
    const levels = [...this.#levels.values()];
    const borrowing = planBorrowing(
      levels.map(({ name, configuration, limits, currentLimit, demand }) => ({
        name,
        isExempt: configuration.spec?.type === 'Exempt',
        limits,
        highWatermark: demand.highWatermark,
        smoothed: demand.smoothed,
        currentLimit,
      })),
    );
    this.#fairFraction = borrowing.fairFraction;
    for (const level of levels) {
      const planned = borrowing.levels.get(level.name);
      const queuing = queuingOf(level.configuration);
      if (planned === undefined || queuing === undefined) continue;
      level.currentLimit = planned.currentLimit;
      level.demand.target = planned.target;
      level.queues.configure(queuing, level.currentLimit);
    }
  }

  #reap(level: PriorityLevel): void {
    if (level.isQuiescing && level.queues.isIdle) this.#levels.delete(level.name);
  }
}

const unlimited: LevelLimits = { nominal: 0, min: 0, max: 0, maxSeats: undefined };

function nameOf({ metadata }: DeepReadonly<FlowSchema | PriorityLevelConfiguration>): string {
  return metadata.name ?? '';
}

function withMandatory(
  levels: readonly DeepReadonly<PriorityLevelConfiguration>[],
  mandatory: readonly PriorityLevelConfiguration[],
): DeepReadonly<PriorityLevelConfiguration>[] {
  const names = new Set(levels.map(nameOf));
  return [...levels, ...mandatory.filter((level) => !names.has(nameOf(level)))];
}
