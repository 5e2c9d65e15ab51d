/** How many seats a priority level could have used over a period; the mean and the deviation are weighted by time. */
interface DemandReport {
  readonly durationMs: number;
  readonly average: number;
  readonly deviation: number;
  readonly highWatermark: number;
}

/** Follows a number that changes in steps. */
export class SeatDemand {
  #value = 0;
  #sinceMs: number;
  #changedMs: number;
  #integral = 0;
  #integralOfSquares = 0;
  #max = 0;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#changedMs = nowMs;
  }

  set(value: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#value = value;
    if (value > this.#max) this.#max = value;
  }

  /** Reports the period so far, and begins a new period with the present value. */
  reset(nowMs: number): DemandReport {
    this.#settle(nowMs);
    const durationMs = nowMs - this.#sinceMs;
    const average = durationMs > 0 ? this.#integral / durationMs : 0;
    const variance = durationMs > 0 ? this.#integralOfSquares / durationMs - average * average : 0;
    const report = { durationMs, average, deviation: Math.sqrt(Math.max(0, variance)), highWatermark: this.#max };
    this.#sinceMs = nowMs;
    this.#integral = 0;
    this.#integralOfSquares = 0;
    this.#max = this.#value;
    return report;
  }

  #settle(nowMs: number): void {
    const elapsedMs = nowMs - this.#changedMs;
    this.#integral += this.#value * elapsedMs;
    this.#integralOfSquares += this.#value * this.#value * elapsedMs;
    this.#changedMs = nowMs;
  }
}

/** Half of a past demand is forgotten after five minutes of adjustments every ten seconds. */
const smoothing = 0.977;

/** Demand that rises at once and falls slowly, so that a level that was busy a moment ago still finds its seats. */
export function smoothDemand(smoothed: number, { durationMs, average, deviation }: DemandReport): number {
  if (durationMs <= 0) return smoothed;
  const envelope = average + deviation;
  return Math.max(envelope, smoothing * smoothed + (1 - smoothing) * envelope);
}
