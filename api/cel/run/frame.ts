import { type CELValue, CostLimitExceeded, type Failure } from '../types/values.ts';

/** The state of one evaluation. A slot may hold a failure: an accumulator whose failure a later step may still absorb. */
export class Frame {
  readonly slots: (CELValue | Failure | undefined)[];
  readonly limit: number;
  cost = 0;

  constructor(slotCount: number, limit: number) {
    this.slots = Array.from({ length: slotCount });
    this.limit = limit;
  }

  /** Throws CostLimitExceeded. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.limit) throw new CostLimitExceeded();
  }
}

/** A compiled expression. Throws Failure or CostLimitExceeded. */
export type Closure = (frame: Frame) => CELValue;
