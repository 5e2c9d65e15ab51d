import { formatMicroTime } from '../../../api/meta/time.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { FlowControl, PriorityLevel } from './flow-control.ts';
import type { SeatHolder } from './queue-set.ts';

/** The tables of /debug/api_priority_and_fairness, by the last part of their path. */
export const dumps: Readonly<Record<string, (flows: FlowControl, nowMs: () => DumpTimes, withDetails: boolean) => string>> = {
  dump_priority_levels: dumpPriorityLevels,
  dump_queues: dumpQueues,
  dump_requests: dumpRequests,
};

/** The present time of both clocks: requests record the monotonic one. */
interface DumpTimes {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

function sortedLevels(flows: FlowControl): PriorityLevel[] {
  return [...flows.levels()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function dumpPriorityLevels(flows: FlowControl): string {
  const rows = sortedLevels(flows).map(({ name, queues, isQuiescing }) => {
    const { queues: all, waitingRequests, executing, dispatched, rejected, timedOut, cancelled } = queues.dump();
    const active = all.filter(({ waiting }) => waiting.size > 0).length;
    return [name, active, queues.isIdle, isQuiescing, waitingRequests, executing.length, dispatched, rejected, timedOut, cancelled];
  });
  const headers = [
    'PriorityLevelName',
    'ActiveQueues',
    'IsIdle',
    'IsQuiescing',
    'WaitingRequests',
    'ExecutingRequests',
    'DispatchedRequests',
    'RejectedRequests',
    'TimedoutRequests',
    'CancelledRequests',
  ];
  return formatTable([headers, ...rows]);
}

function dumpQueues(flows: FlowControl): string {
  const rows = sortedLevels(flows).flatMap(({ name, queues }) =>
    queues
      .dump()
      .queues.map((queue, index) => [
        name,
        index,
        queue.waiting.size,
        queue.executing,
        queue.seatsInUse,
        seatSeconds(queue.nextDispatchR),
        queue.waitingInitialSeats,
        queue.waitingSeats,
        seatSeconds(queue.waitingWork),
      ]),
  );
  const headers = [
    'PriorityLevelName',
    'Index',
    'PendingRequests',
    'ExecutingRequests',
    'SeatsInUse',
    'NextDispatchR',
    'InitialSeatsSum',
    'MaxSeatsSum',
    'TotalWorkSum',
  ];
  return formatTable([headers, ...rows]);
}

const requestHeaders = [
  'PriorityLevelName',
  'FlowSchemaName',
  'QueueIndex',
  'RequestIndexInQueue',
  'FlowDistingsher',
  'ArriveTime',
  'InitialSeats',
  'FinalSeats',
  'AdditionalLatency',
  'StartTime',
];
const detailHeaders = ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource', 'SubResource'];

function dumpRequests(flows: FlowControl, times: () => DumpTimes, withDetails: boolean): string {
  const { wallMs, monotonicMs } = times();
  const timeOf = (ms: number) => (ms === 0 ? '0001-01-01T00:00:00Z' : formatMicroTime(wallMs - (monotonicMs - ms)));
  const rowOf = (level: string, queue: number, index: number, holder: SeatHolder) => {
    const context = holder.request;
    if (!isContext(context)) return [];
    const flow = flows.classify(context.user, context.info);
    const { initialSeats, finalSeats, additionalLatencyMs, arrivalMs, startMs, state } = holder;
    const latency = additionalLatencyMs === 0 ? '0s' : `${additionalLatencyMs}ms`;
    const start = timeOf(state === 'executing' ? startMs : 0);
    const own = [level, flow.flowSchema, queue, index, flow.distinguisher, timeOf(arrivalMs), initialSeats, finalSeats, latency, start];
    return [withDetails ? [...own, ...detailsOf(context)] : own];
  };
  const rows = sortedLevels(flows).flatMap(({ name, queues }) => {
    const { queues: all, executing } = queues.dump();
    const waiting = all.flatMap((queue, index) => [...queue.waiting].flatMap((holder, place) => rowOf(name, index, place, holder)));
    const running = executing.flatMap((holder) => rowOf(name, holder.queue ? all.indexOf(holder.queue) : -1, -1, holder));
    return [...waiting, ...running];
  });
  return formatTable([withDetails ? [...requestHeaders, ...detailHeaders] : requestHeaders, ...rows]);
}

function isContext(value: unknown): value is RequestContext {
  return typeof value === 'object' && value !== null && 'info' in value && 'user' in value;
}

function detailsOf({ user, info }: RequestContext): string[] {
  const apiVersion = info.apiGroup === '' ? info.apiVersion : `${info.apiGroup}/${info.apiVersion}`;
  return [user.name, info.verb, info.path, info.namespace, info.name, apiVersion, info.resource, info.subresource];
}

/** Seat seconds as Go formats upstream's fixed-point numbers. */
function seatSeconds(seatMs: number): string {
  return `${(seatMs / 1000).toFixed(8)}ss`;
}

/** Cells end with a comma and are as wide as the widest of their column, and at least eight. */
function formatTable(rows: readonly (readonly (string | number | boolean)[])[]): string {
  const cells = rows.map((row) => row.map((cell, index) => (index === row.length - 1 ? String(cell) : `${cell},`)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(8, ...cells.map((row) => (row[column] ?? '').length + 1)));
  return cells
    .map((row) => `${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('')}\n`)
    .join('');
}
