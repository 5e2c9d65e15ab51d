import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isEqual } from '../../../api/base/equality.ts';
import { formatKey, keyOf } from '../../../api/meta/object.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { ClusterEvent } from '../framework/framework.ts';
import { ActivePods } from './active-pods.ts';
import { formatJSON } from '../../../api/base/format-json.ts';

/** A pod waiting for a node. */
export interface QueuedPod {
  readonly key: string;
  pod: DeepReadonly<Pod>;
  attempts: number;
  /** When it came into the queue, for order among equals. */
  readonly addedMs: number;
  /** When it was last put back. */
  lastFailureMs: number;
  /** Plugins that refused it last time. */
  refusedBy: ReadonlySet<string>;
  /** The plugin that does not even let it be tried. */
  gatedBy?: string;
}

interface Happening {
  readonly event: ClusterEvent;
  readonly concerns: (pod: DeepReadonly<Pod>) => boolean;
}

export interface SchedulingQueue {
  /** Adds a pod, or updates one that waits. */
  addOrUpdate(pod: DeepReadonly<Pod>): void;
  remove(pod: DeepReadonly<Pod>): void;
  /** Waits for the most urgent pod; undefined once closed. The pod is out of the queue until it is put back. */
  next(): Promise<QueuedPod | undefined>;
  /** Puts back a pod that fits nowhere; it waits for an event that concerns those plugins. */
  putBackUnschedulable(queued: QueuedPod, refusedBy: ReadonlySet<string>): void;
  /** Puts back a pod whose attempt failed by an error: tried again after its backoff. */
  putBackAfterError(queued: QueuedPod): void;
  /** Takes an event: pods that it may help go to backoff or straight to the active queue. `concerns`: it may help only these. */
  onEvent(event: ClusterEvent, concerns?: (pod: DeepReadonly<Pod>) => boolean): void;
  lengths(): { readonly active: number; readonly backoff: number; readonly unschedulable: number };
  close(): void;
}

interface QueueOptions {
  readonly clock: Clock;
  /** Whether an event may help a pod refused by that plugin. */
  readonly mayHelp: (plugin: string, event: ClusterEvent) => boolean;
  /** Finds the plugin that keeps the pod from being tried at all (scheduling gates, missing claims), if there is one. */
  readonly findGate: (pod: DeepReadonly<Pod>) => string | undefined;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Pods are tried again after this time even if nothing seems to have happened. Upstream: 5 minutes. */
  readonly flushAfterMs?: number;
}

/** Whether the claims of the pod resolve to the same ResourceClaims. */
function hasSameClaims(a: DeepReadonly<Pod>, b: DeepReadonly<Pod>): boolean {
  return isEqual(a.status?.resourceClaimStatuses, b.status?.resourceClaimStatuses);
}

const priorityOf = (queued: QueuedPod) => queued.pod.spec?.priority ?? 0;

/** Upstream's three-part queue: active (by priority, then age), backoff (1 s doubling to 10 s), unschedulable. */
export function createSchedulingQueue(options: QueueOptions): SchedulingQueue {
  const { clock, mayHelp, findGate, initialBackoffMs = 1000, maxBackoffMs = 10_000, flushAfterMs = 300_000 } = options;
  const active = new ActivePods<QueuedPod>();
  const backoff = new Map<string, { queued: QueuedPod; timer: Timer }>();
  const unschedulable = new Map<string, { queued: QueuedPod; timer: Timer }>();
  /** Pods being tried now, with the events that came meanwhile. */
  const inFlight = new Map<string, { readonly events: Happening[]; newest?: DeepReadonly<Pod> }>();
  const waiters: ((queued: QueuedPod | undefined) => void)[] = [];
  let closed = false;

  const backoffMs = (queued: QueuedPod) => Math.min(maxBackoffMs, initialBackoffMs * 2 ** Math.max(0, queued.attempts - 1));

  function take(queued: QueuedPod): QueuedPod {
    active.delete(queued.key);
    inFlight.set(queued.key, { events: [] });
    queued.attempts++;
    return queued;
  }

  function activate(queued: QueuedPod): void {
    if (closed) return;
    active.set(queued.key, { priority: priorityOf(queued), addedMs: queued.addedMs }, queued);
    const waiter = waiters.shift();
    const best = waiter && active.mostUrgent();
    if (waiter && best) waiter(take(best));
  }

  function backOff(queued: QueuedPod): void {
    const remainingMs = queued.lastFailureMs + backoffMs(queued) - clock.nowMs();
    if (remainingMs <= 0) return activate(queued);
    const timer = clock.setTimer(
      remainingMs,
      () => {
        backoff.delete(queued.key);
        activate(queued);
      },
      { background: true },
    );
    backoff.set(queued.key, { queued, timer });
  }

  function park(queued: QueuedPod): void {
    const flush = () => {
      if (findGate(queued.pod) === undefined) move(queued.key);
      else park(queued);
    };
    unschedulable.set(queued.key, { queued, timer: clock.setTimer(flushAfterMs, flush, { background: true }) });
  }

  function move(key: string): void {
    const parked = unschedulable.get(key);
    if (!parked) return;
    parked.timer.cancel();
    unschedulable.delete(key);
    delete parked.queued.gatedBy;
    backOff(parked.queued);
  }

  function drop(key: string): QueuedPod | undefined {
    const waiting = backoff.get(key) ?? unschedulable.get(key);
    waiting?.timer.cancel();
    backoff.delete(key);
    unschedulable.delete(key);
    const queued = waiting?.queued ?? active.get(key);
    active.delete(key);
    return queued;
  }

  const helps = (queued: QueuedPod, { event, concerns }: Happening) =>
    concerns(queued.pod) &&
    (event === 'ForceActivate' || queued.refusedBy.size === 0 || [...queued.refusedBy].some((plugin) => mayHelp(plugin, event)));

  return {
    addOrUpdate(pod) {
      const key = formatKey(keyOf(pod));
      const trying = inFlight.get(key);
      if (trying) {
        trying.newest = pod;
        return;
      }
      // A change of status alone, such as the scheduler's own report, is no reason to be tried sooner or later.
      const waiting = (backoff.get(key) ?? unschedulable.get(key))?.queued;
      if (waiting && formatJSON(waiting.pod.spec) === formatJSON(pod.spec)) {
        const isNews = waiting.gatedBy !== undefined || !hasSameClaims(waiting.pod, pod);
        waiting.pod = pod;
        if (isNews && findGate(pod) === undefined) move(key);
        return;
      }
      const known = drop(key);
      const queued: QueuedPod = known ?? { key, pod, attempts: 0, addedMs: clock.nowMs(), lastFailureMs: 0, refusedBy: new Set() };
      queued.pod = pod;
      const gatedBy = findGate(pod);
      if (gatedBy === undefined) activate(queued);
      else park({ ...queued, gatedBy, refusedBy: new Set([gatedBy]) });
    },
    remove(pod) {
      drop(formatKey(keyOf(pod)));
      inFlight.delete(formatKey(keyOf(pod)));
    },
    next() {
      const best = active.mostUrgent();
      if (best) return Promise.resolve(take(best));
      if (closed) return Promise.resolve(undefined);
      return new Promise((resolve) => waiters.push(resolve));
    },
    putBackUnschedulable(queued, refusedBy) {
      const trying = inFlight.get(queued.key);
      if (!trying || closed) return;
      inFlight.delete(queued.key);
      const { newest } = trying;
      const isOther = newest && (formatJSON(newest.spec) !== formatJSON(queued.pod.spec) || !hasSameClaims(newest, queued.pod));
      queued.pod = newest ?? queued.pod;
      queued.lastFailureMs = clock.nowMs();
      queued.refusedBy = refusedBy;
      if (isOther || trying.events.some((happening) => helps(queued, happening))) backOff(queued);
      else park(queued);
    },
    putBackAfterError(queued) {
      const trying = inFlight.get(queued.key);
      if (!trying || closed) return;
      inFlight.delete(queued.key);
      queued.pod = trying.newest ?? queued.pod;
      queued.lastFailureMs = clock.nowMs();
      queued.refusedBy = new Set();
      backOff(queued);
    },
    onEvent(event, concerns = () => true) {
      const happening = { event, concerns };
      for (const { events } of inFlight.values()) events.push(happening);
      for (const { queued } of [...unschedulable.values()])
        if (helps(queued, happening) && findGate(queued.pod) === undefined) move(queued.key);
    },
    lengths: () => ({ active: active.size, backoff: backoff.size, unschedulable: unschedulable.size }),
    close() {
      closed = true;
      for (const { timer } of [...backoff.values(), ...unschedulable.values()]) timer.cancel();
      for (const waiter of waiters.splice(0)) waiter(undefined);
    },
  };
}
