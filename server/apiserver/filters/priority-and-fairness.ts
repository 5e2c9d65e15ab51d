import type { APIResponse } from '../../../api/client/transport.ts';
import type { Flow, FlowControl } from '../flowcontrol/flow-control.ts';
import type { SeatHolder } from '../flowcontrol/queue-set.ts';
import type { WatchTracker } from '../flowcontrol/watch-tracker.ts';
import type { Filter, Handler, RequestContext } from '../request/request-context.ts';
import { plainResponse } from '../responses/error-response.ts';
import { isLongRunning } from './long-running.ts';
import { onBodyEnd } from './on-body-end.ts';
import { timeoutOf } from './request-timeout.ts';
import type { InflightGauge } from '../metrics/inflight-watermarks.ts';

export interface PriorityAndFairnessOptions {
  readonly flows: FlowControl;
  readonly watches: WatchTracker;
  readonly inflight: InflightGauge;
  readonly requestTimeoutMs: number;
}

const readOnlyVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
/** A request spends no more than a quarter of its time in a queue, nor more than a minute. */
const maxWaitMs = 60_000;
/** The longest time that a watch holds a seat: its client may be slow to read the initial events. */
const maxInitializationMs = 60_000;

/**
 * API Priority and Fairness (KEP-1040): a request is executed when its flow has a seat. Otherwise it waits in a queue, and is rejected if
 * the queue is full or does not move. Long-running requests pass; watches hold their seats until they have sent the initial objects.
 */
export function priorityAndFairness(options: PriorityAndFairnessOptions): Filter {
  const { flows, inflight } = options;
  return (next) => async (context) => {
    const { info, clock } = context;
    const isWatch = info.verb === 'watch';
    if (!isWatch && isLongRunning(info)) return next(context);
    const flow = flows.classify(context.user, info);
    context.flowHeaders = flow.headers;
    const isReadOnly = readOnlyVerbs.has(info.verb);
    const holder = flows.start(flow, flows.estimate(flow, context), context);
    if (typeof holder === 'string') return turnAway(flow, context);
    if (holder.state === 'waiting') {
      const sinceMs = holder.arrivalMs;
      inflight.waiting(isReadOnly, 1);
      const isSeated = await waitForSeat(options, flow, holder, context);
      inflight.waiting(isReadOnly, -1);
      context.waitedMs += clock.monotonicMs() - sinceMs;
      if (!isSeated) return turnAway(flow, context);
    }
    flow.observer.dispatched(context.waitedMs);
    inflight.executing(isReadOnly, 1);
    const { startMs } = holder;
    const finish = () => {
      inflight.executing(isReadOnly, -1);
      flow.observer.executed(clock.monotonicMs() - startMs, isWatch);
      flows.finish(flow, holder);
    };
    if (isWatch) return executeWatch(next, context, options.watches, finish);
    let response: APIResponse;
    try {
      response = await next(context);
    } catch (error) {
      finish();
      throw error;
    }
    return onBodyEnd(response, finish);
  };
}

async function executeWatch(next: Handler, context: RequestContext, watches: WatchTracker, finish: () => void): Promise<APIResponse> {
  const forget = watches.register(context.info);
  let isInitialized = false;
  const initialized = () => {
    if (isInitialized) return;
    isInitialized = true;
    timer.cancel();
    finish();
  };
  const timer = context.clock.setTimer(maxInitializationMs, initialized, { background: true });
  const end = () => {
    initialized();
    forget();
  };
  context.watchInitialized = initialized;
  try {
    return onBodyEnd(await next(context), end);
  } catch (error) {
    end();
    throw error;
  }
}

/** Whether its turn came in time. */
function waitForSeat(
  { flows, requestTimeoutMs }: PriorityAndFairnessOptions,
  flow: Flow,
  holder: SeatHolder,
  { clock, signal, info, query }: RequestContext,
): Promise<boolean> {
  const timeoutMs = isLongRunning(info) ? requestTimeoutMs : timeoutOf(query, requestTimeoutMs);
  return new Promise((resolve) => {
    const settle = (isSeated: boolean) => {
      timer.cancel();
      signal.removeEventListener('abort', onGone);
      resolve(isSeated);
    };
    const leave = (isTimeout: boolean) => {
      flows.cancel(flow, holder, isTimeout);
      settle(false);
    };
    const onGone = () => leave(false);
    const timer = clock.setTimer(Math.min(timeoutMs / 4, maxWaitMs), () => leave(true), { background: true });
    if (signal.aborted) return onGone();
    signal.addEventListener('abort', onGone, { once: true });
    holder.seated = () => settle(true);
  });
}

function turnAway({ level, observer }: Flow, context: RequestContext): APIResponse {
  observer.turnedAway(context.waitedMs);
  level.retryAfter.noteDropped(context.clock.nowMs());
  context.terminatedWith = 429;
  return plainResponse(429, 'Too many requests, please try again later.\n', { 'retry-after': String(level.retryAfter.seconds) });
}
