import type { Clock, Timer } from '../../../api/base/clock.ts';
import type { Version } from './version.ts';

/** Calls `expire` with the versions whose time has come, as long as they are still the newest of their key. */
export class ExpiryQueue {
  readonly #clock: Clock;
  readonly #expire: (due: readonly Version[]) => Promise<void>;
  readonly #isCurrent: (version: Version) => boolean;
  /** Binary heap, soonest first. */
  readonly #heap: Version[] = [];
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #closed = false;

  constructor(dependencies: {
    clock: Clock;
    isCurrent: (version: Version) => boolean;
    expire: (due: readonly Version[]) => Promise<void>;
  }) {
    this.#clock = dependencies.clock;
    this.#isCurrent = dependencies.isCurrent;
    this.#expire = dependencies.expire;
  }

  add(version: Version): void {
    this.#push(version);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.timer.cancel();
  }

  #arm(notBeforeMs = 0): void {
    const soonest = this.#heap[0];
    if (!soonest || this.#closed) return;
    const atMs = Math.max(soonest.expiresAtMs, notBeforeMs);
    if (this.#timer && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    const timer = this.#clock.setTimer(atMs - this.#clock.nowMs(), () => void this.#fire(), { background: true });
    this.#timer = { atMs, timer };
  }

  async #fire(): Promise<void> {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    const due: Version[] = [];
    for (let soonest = this.#heap[0]; soonest && soonest.expiresAtMs <= nowMs; soonest = this.#heap[0]) {
      this.#pop();
      if (this.#isCurrent(soonest)) due.push(soonest);
    }
    try {
      if (due.length > 0) await this.#expire(due);
      this.#arm();
    } catch {
      // The store cannot be written at present, which other writes report; these keys are tried again.
      for (const version of due) this.#push(version);
      this.#arm(this.#clock.nowMs() + 1000);
    }
  }

  #push(version: Version): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(version);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (!parent || parent.expiresAtMs <= version.expiresAtMs) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = version;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = heap[leftAt];
      const right = heap[leftAt + 1];
      if (!left) break;
      const smallestAt = right && right.expiresAtMs < left.expiresAtMs ? leftAt + 1 : leftAt;
      const smallest = heap[smallestAt];
      if (!smallest || smallest.expiresAtMs >= last.expiresAtMs) break;
      heap[at] = smallest;
      at = smallestAt;
    }
    heap[at] = last;
  }
}
