import type { Clock } from '../../../api/base/clock.ts';
import type { MetricFamilies } from '../metric-families.ts';

/** The most that a number was within the last whole second, in so far as it was ever looked at. */
export class Watermark {
  #value = 0;
  #second = 0;
  #max = 0;
  #lastMax = 0;

  add(change: number, nowMs: number): void {
    this.#roll(nowMs);
    this.#value += change;
    if (this.#value > this.#max) this.#max = this.#value;
  }

  read(nowMs: number): number {
    this.#roll(nowMs);
    return Math.max(this.#lastMax, this.#max);
  }

  #roll(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    this.#lastMax = second === this.#second + 1 ? this.#max : this.#value;
    this.#max = this.#value;
    this.#second = second;
  }
}

/** apiserver_current_inflight_requests and apiserver_current_inqueue_requests. */
export function createInflightWatermarks(families: MetricFamilies, clock: Clock): InflightGauge {
  const measured = (name: string, help: string, stability: 'STABLE' | 'ALPHA') => {
    const marks = { readOnly: new Watermark(), mutating: new Watermark() };
    families.gauge({ name, help, stability, labels: ['request_kind'] }, (family) => {
      const nowMs = clock.monotonicMs();
      family.with('mutating').value = marks.mutating.read(nowMs);
      family.with('readOnly').value = marks.readOnly.read(nowMs);
    });
    return (isReadOnly: boolean, change: number) => (isReadOnly ? marks.readOnly : marks.mutating).add(change, clock.monotonicMs());
  };
  return {
    executing: measured(
      'apiserver_current_inflight_requests',
      'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
      'STABLE',
    ),
    waiting: measured(
      'apiserver_current_inqueue_requests',
      'Maximal number of queued requests in this apiserver per request kind in last second.',
      'ALPHA',
    ),
  };
}

/** How many requests are executed and how many wait, by whether they only read. */
export interface InflightGauge {
  executing(isReadOnly: boolean, change: 1 | -1): void;
  waiting(isReadOnly: boolean, change: 1 | -1): void;
}
