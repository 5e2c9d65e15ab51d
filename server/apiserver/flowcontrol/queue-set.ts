import type { Clock } from '../../../api/base/clock.ts';
import { SeatDemand } from './seat-demand.ts';
import type { WorkEstimate } from './work-estimate.ts';

/** How a priority level deals with requests for which there is no free seat. */
export type QueuingConfiguration =
  /** There is always a seat. */
  | { readonly kind: 'exempt' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'queue'; readonly queues: number; readonly queueLengthLimit: number };

/** Observes the requests of one flow, for metrics. Called on the hot path. */
export interface FlowObserver {
  /** Requests and seats come to (or, negative, leave) the queues. */
  waiting(requests: number, seats: number): void;
  executing(requests: number, seats: number): void;
  enqueued(queueLength: number): void;
  rejected(reason: RejectReason): void;
  /** The head of the queue whose turn it was did not fit. */
  notAccommodated(): void;
}

export type RejectReason = 'concurrency-limit' | 'queue-full' | 'time-out';

/** Requests that share queues, and the queues that they may use. */
export interface QueuedFlow {
  readonly observer: FlowObserver;
  /** Indices of queues, dealt once per flow; empty where there are no queues. */
  readonly hand: readonly number[];
}

/** The assumed duration of a request while its real one is unknown, in milliseconds. */
const estimatedServiceMs = 3;

class Queue {
  /** Waiting, oldest first. */
  readonly waiting = new Set<SeatHolder>();
  executing = 0;
  seatsInUse = 0;
  /** Virtual time at which its next request is due. */
  nextDispatchR = 0;
  /** Sums over those that wait. */
  waitingInitialSeats = 0;
  waitingSeats = 0;
  waitingWork = 0;
}

const nobody: FlowObserver = { waiting() {}, executing() {}, enqueued() {}, rejected() {}, notAccommodated() {} };

/** A request's place in a queue, and its seats. It is returned to its set and used again. */
export class SeatHolder {
  state: 'free' | 'waiting' | 'executing' = 'free';
  observer: FlowObserver = nobody;
  queue: Queue | undefined;
  initialSeats = 0;
  finalSeats = 0;
  additionalLatencyMs = 0;
  arrivalR = 0;
  arrivalMs = 0;
  startMs = 0;
  /** The request as dumps show it. */
  request: unknown;
  /** Called when its turn has come; whoever waits sets it. */
  seated: (() => void) | undefined;
  /** Its place in the list of those executing. */
  index = -1;

  get seats(): number {
    return Math.max(this.initialSeats, this.finalSeats);
  }

  /** Seat-milliseconds. */
  get work(): number {
    return this.initialSeats * estimatedServiceMs + this.finalSeats * this.additionalLatencyMs;
  }
}

/**
 * The seats of one priority level and the queues before them: fair queuing for server requests (KEP-1040). Virtual time
 * R says how many milliseconds of a seat each busy queue has been entitled to; the queue whose next request would be
 * finished first in virtual time is served next. Where seats are free and nobody waits, a request costs a few additions.
 */
export class QueueSet {
  readonly demand: SeatDemand;
  readonly #clock: Clock;
  #configuration: QueuingConfiguration = { kind: 'reject' };
  #concurrencyLimit = 0;
  #queues: Queue[] = [];
  /** Seats that were given back. */
  readonly #free: SeatHolder[] = [];
  readonly #executing: SeatHolder[] = [];
  #r = 0;
  #syncedMs: number;
  #robin = 0;
  #arrivals = 0;
  #busyQueues = 0;
  #waitingRequests = 0;
  #waitingSeats = 0;
  #seatsInUse = 0;
  #dispatched = 0;
  #rejected = 0;
  #timedOut = 0;
  #cancelled = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#syncedMs = clock.monotonicMs();
    this.demand = new SeatDemand(this.#syncedMs);
  }

  configure(configuration: QueuingConfiguration, concurrencyLimit: number): void {
    this.#sync();
    this.#configuration = configuration;
    this.#concurrencyLimit = concurrencyLimit;
    // Queues that are too many serve those who wait in them and are then dropped.
    if (configuration.kind === 'queue') while (this.#queues.length < configuration.queues) this.#queues.push(new Queue());
    this.#dropIdleQueues();
    this.#dispatch(this.#syncedMs);
  }

  get isIdle(): boolean {
    return this.#waitingRequests === 0 && this.#executing.length === 0;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  /** Takes seats, or a place in a queue: the state of the result tells which. Otherwise returns why neither was available. */
  start(flow: QueuedFlow, work: WorkEstimate, request: unknown): SeatHolder | RejectReason {
    const nowMs = this.#sync();
    const holder = this.#free.pop() ?? new SeatHolder();
    holder.observer = flow.observer;
    holder.initialSeats = work.initialSeats;
    holder.finalSeats = work.finalSeats;
    holder.additionalLatencyMs = work.additionalLatencyMs;
    holder.arrivalR = this.#r;
    holder.arrivalMs = nowMs;
    holder.request = request;
    const { kind } = this.#configuration;
    if (kind !== 'queue') {
      if (!this.#hasRoomFor(holder.seats)) return this.#reject(holder, 'concurrency-limit');
      holder.queue = undefined;
      this.#seat(holder, nowMs);
      return holder;
    }
    const queue = this.#chooseQueue(flow.hand);
    if (this.#seatsInUse >= this.#concurrencyLimit && queue.waiting.size >= this.#configuration.queueLengthLimit) {
      return this.#reject(holder, 'queue-full');
    }
    holder.queue = queue;
    if (queue.executing === 0 && queue.waiting.size === 0) {
      queue.nextDispatchR = this.#r;
      this.#busyQueues++;
    }
    if (this.#waitingRequests === 0 && this.#hasRoomFor(holder.seats)) {
      flow.observer.enqueued(1);
      this.#seat(holder, nowMs);
      return holder;
    }
    this.#enqueue(holder, queue, nowMs);
    this.#dispatch(nowMs);
    return holder;
  }

  /** Gives up waiting. */
  cancel(holder: SeatHolder, isTimeout: boolean): void {
    if (holder.state !== 'waiting' || !holder.queue) return;
    const nowMs = this.#sync();
    const { queue } = holder;
    this.#leaveQueue(holder, queue, nowMs);
    if (queue.waiting.size === 0 && queue.executing === 0) this.#busyQueues--;
    bound(queue);
    if (isTimeout) this.#timedOut++;
    this.#cancelled++;
    this.#reject(holder, 'time-out');
    this.#dropIdleQueues();
    this.#dispatch(nowMs);
  }

  /** The request is finished. Its seats are kept for as long as its watchers are busy with it. */
  finish(holder: SeatHolder): void {
    if (holder.state !== 'executing') throw new Error(`a request was finished that is ${holder.state}`);
    const nowMs = this.#sync();
    const last = this.#executing.pop();
    if (last !== undefined && last !== holder) {
      this.#executing[holder.index] = last;
      last.index = holder.index;
    }
    holder.observer.executing(-1, 0);
    const { queue } = holder;
    if (queue) {
      queue.executing--;
      queue.nextDispatchR -= holder.initialSeats * (estimatedServiceMs - (nowMs - holder.startMs));
      if (queue.executing === 0 && queue.waiting.size === 0) this.#busyQueues--;
      bound(queue);
    }
    if (holder.additionalLatencyMs > 0) {
      this.#clock.setTimer(holder.additionalLatencyMs, () => this.#giveBack(holder, this.#sync()), { background: true });
    } else this.#giveBack(holder, nowMs);
  }

  dump(): QueueSetDump {
    return {
      queues: this.#queues,
      executing: this.#executing,
      r: this.#r,
      waitingRequests: this.#waitingRequests,
      dispatched: this.#dispatched,
      rejected: this.#rejected,
      timedOut: this.#timedOut,
      cancelled: this.#cancelled,
    };
  }

  /** Advances virtual time by the seats that the queues could use, divided by the number of busy queues. */
  #sync(): number {
    const nowMs = this.#clock.monotonicMs();
    if (this.#busyQueues > 0 && nowMs > this.#syncedMs) {
      const used = Math.min(this.#seatsInUse + this.#waitingSeats, this.#concurrencyLimit);
      this.#r += (used / this.#busyQueues) * (nowMs - this.#syncedMs);
    }
    this.#syncedMs = nowMs;
    return nowMs;
  }

  #hasRoomFor(seats: number): boolean {
    if (this.#configuration.kind === 'exempt') return true;
    // A request wider than the level's seats gets them all.
    if (seats > this.#concurrencyLimit) return this.#executing.length === 0;
    return this.#seatsInUse + seats <= this.#concurrencyLimit;
  }

  /** The queue of the hand with the least waiting work; takes turns among those without any. */
  #chooseQueue(hand: readonly number[]): Queue {
    const offset = this.#arrivals++;
    let best: Queue | undefined;
    for (let card = 0; card < hand.length; card++) {
      const queue = this.#queues[hand[(offset + card) % hand.length] ?? 0];
      if (queue === undefined) continue;
      if (this.#waitingRequests === 0 || queue.waitingWork === 0) return queue;
      if (best === undefined || queue.waitingWork < best.waitingWork) best = queue;
    }
    best ??= this.#queues[0];
    if (best === undefined) throw new Error('a priority level with queues has none');
    return best;
  }

  #reject(holder: SeatHolder, reason: RejectReason): RejectReason {
    this.#rejected++;
    holder.observer.rejected(reason);
    this.#recycle(holder);
    return reason;
  }

  #seat(holder: SeatHolder, nowMs: number): void {
    if (holder.finalSeats > this.#concurrencyLimit && this.#configuration.kind !== 'exempt' && this.#concurrencyLimit > 0) {
      // The same work, narrower and longer.
      holder.additionalLatencyMs *= holder.finalSeats / this.#concurrencyLimit;
      holder.finalSeats = this.#concurrencyLimit;
    }
    holder.state = 'executing';
    holder.startMs = nowMs;
    holder.index = this.#executing.push(holder) - 1;
    const { queue, seats } = holder;
    if (queue) {
      queue.executing++;
      queue.seatsInUse += seats;
      queue.nextDispatchR += holder.work;
    }
    this.#seatsInUse += seats;
    this.#dispatched++;
    holder.observer.executing(1, seats);
    this.demand.set(this.#seatsInUse + this.#waitingSeats, nowMs);
  }

  #enqueue(holder: SeatHolder, queue: Queue, nowMs: number): void {
    const { seats } = holder;
    holder.state = 'waiting';
    queue.waiting.add(holder);
    queue.waitingInitialSeats += holder.initialSeats;
    queue.waitingSeats += seats;
    queue.waitingWork += holder.work;
    this.#waitingRequests++;
    this.#waitingSeats += seats;
    holder.observer.waiting(1, seats);
    holder.observer.enqueued(queue.waiting.size);
    this.demand.set(this.#seatsInUse + this.#waitingSeats, nowMs);
    bound(queue);
  }

  #leaveQueue(holder: SeatHolder, queue: Queue, nowMs: number): void {
    const { seats } = holder;
    queue.waiting.delete(holder);
    queue.waitingInitialSeats -= holder.initialSeats;
    queue.waitingSeats -= seats;
    queue.waitingWork = queue.waiting.size === 0 ? 0 : queue.waitingWork - holder.work;
    this.#waitingRequests--;
    this.#waitingSeats -= seats;
    holder.observer.waiting(-1, -seats);
    this.demand.set(this.#seatsInUse + this.#waitingSeats, nowMs);
  }

  #dispatch(nowMs: number): void {
    while (this.#waitingRequests > 0 && (this.#seatsInUse < this.#concurrencyLimit || this.#configuration.kind === 'exempt')) {
      const next = this.#findNext();
      if (next === undefined) return;
      const { holder, queue } = next;
      if (!this.#hasRoomFor(holder.seats)) {
        holder.observer.notAccommodated();
        return;
      }
      this.#robin = next.index;
      this.#leaveQueue(holder, queue, nowMs);
      this.#seat(holder, nowMs);
      bound(queue);
      const { seated } = holder;
      holder.seated = undefined;
      seated?.();
    }
  }

  /** The first request that would be finished earliest in virtual time; among equals that of the queue after the one served last. */
  #findNext(): { readonly holder: SeatHolder; readonly queue: Queue; readonly index: number } | undefined {
    let found: { holder: SeatHolder; queue: Queue; index: number } | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    const count = this.#queues.length;
    for (let step = 1; step <= count; step++) {
      const index = (this.#robin + step) % count;
      const queue = this.#queues[index];
      if (queue === undefined || queue.waiting.size === 0) continue;
      const [holder] = queue.waiting;
      if (holder === undefined) continue;
      const finish = queue.nextDispatchR + holder.work;
      if (finish >= earliest) continue;
      earliest = finish;
      found = { holder, queue, index };
    }
    return found;
  }

  #giveBack(holder: SeatHolder, nowMs: number): void {
    const { seats, queue } = holder;
    this.#seatsInUse -= seats;
    if (queue) queue.seatsInUse -= seats;
    holder.observer.executing(0, -seats);
    this.demand.set(this.#seatsInUse + this.#waitingSeats, nowMs);
    this.#recycle(holder);
    if (this.#waitingRequests > 0) this.#dispatch(nowMs);
    this.#dropIdleQueues();
  }

  #recycle(holder: SeatHolder): void {
    holder.state = 'free';
    holder.queue = undefined;
    holder.request = undefined;
    holder.seated = undefined;
    holder.observer = nobody;
    this.#free.push(holder);
  }

  #dropIdleQueues(): void {
    const wanted = this.#configuration.kind === 'queue' ? this.#configuration.queues : 0;
    // Only from the end: hands are dealt from the front.
    for (let last = this.#queues.at(-1); last !== undefined && this.#queues.length > wanted; last = this.#queues.at(-1)) {
      if (last.waiting.size > 0 || last.executing > 0 || last.seatsInUse > 0) return;
      this.#queues.pop();
    }
  }
}

interface QueueSetDump {
  readonly queues: readonly Queue[];
  readonly executing: readonly SeatHolder[];
  readonly r: number;
  readonly waitingRequests: number;
  readonly dispatched: number;
  readonly rejected: number;
  readonly timedOut: number;
  readonly cancelled: number;
}

/** A queue cannot save up unused time: in virtual time nothing is dispatched before it arrived. */
function bound(queue: Queue): void {
  if (queue.waiting.size === 0) return;
  const [oldest] = queue.waiting;
  if (oldest !== undefined && queue.nextDispatchR < oldest.arrivalR) queue.nextDispatchR = oldest.arrivalR;
}
